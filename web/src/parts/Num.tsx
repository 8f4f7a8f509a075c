/** A number, grouped and tabular, with its unit. */
import type { ReactNode } from "react";
import { count } from "./format.ts";

export function Num({ value, unit, children }: { value: number; unit?: string; children?: ReactNode }) {
  return (
    <span className="num">
      {children ?? count(value)}
      {unit && <span className="dim">{unit}</span>}
    </span>
  );
}

/** A figure with its name above it. */
export function Figure({ name, children, note }: { name: string; children: ReactNode; note?: ReactNode }) {
  return (
    <div>
      <div className="dim small">{name}</div>
      <div className="num" style={{ fontSize: 20, lineHeight: "28px", fontWeight: 500 }}>{children}</div>
      {note && <div className="dim small">{note}</div>}
    </div>
  );
}
