/** How a destination fares. */
import { StateChip } from "~/parts/StateChip.tsx";
import type { Health } from "./health.ts";

export function HealthChip({ health }: { health: Health }) {
  return (
    <StateChip state={health.state} title={health.trouble || health.note || undefined}>
      {health.word}
    </StateChip>
  );
}
