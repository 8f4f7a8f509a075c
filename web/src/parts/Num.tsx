/** A number, grouped and tabular, with its unit. */
import type { ReactNode } from "react";
import { count } from "./format.ts";
import { StateIcon } from "./StateChip.tsx";
import type { State } from "./states.ts";

export function Num({ value, unit, children }: { value: number; unit?: string; children?: ReactNode }) {
  return (
    <span className="num">
      {children ?? count(value)}
      {unit && <span className="dim">{unit}</span>}
    </span>
  );
}

/** A figure with its name above it, and its state's icon if it counts events in one. */
export function Figure(
  { name, state, children, note }: { name: string; state?: State; children: ReactNode; note?: ReactNode },
) {
  return (
    <div className="figure">
      <div className="dim small" style={{ display: "flex", alignItems: "center", gap: 4 }}>
        {state && <StateIcon state={state} label="" />} {name}
      </div>
      <div className="num" style={{ fontSize: 20, lineHeight: "28px", fontWeight: 500 }}>{children}</div>
      {note && <div className="dim small">{note}</div>}
    </div>
  );
}
