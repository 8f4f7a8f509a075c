/** Lists by the keyboard: ↑ and ↓ go from row to row; Enter opens one, as it is a button or does so itself. */
import type { KeyboardEvent } from "react";

/** Of the element around rows that have `data-row`. */
export function stepThrough(event: KeyboardEvent<HTMLElement>): void {
  const way = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-row]")];
  const at = rows.indexOf(event.target as HTMLElement);
  if (!way || at < 0) return;
  event.preventDefault();
  rows[at + way]?.focus();
}
