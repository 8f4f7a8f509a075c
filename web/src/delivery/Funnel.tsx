/**
 * The road as a row of stages with bars; what leaves or joins at a stage is a branch below it. Whatever can
 * be broken down is a button.
 */
import { IconChevronRight } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { count } from "~/parts/format.ts";
import { StateIcon } from "~/parts/StateChip.tsx";
import { STATES } from "~/parts/states.ts";
import type { Window } from "~/parts/WindowPicker.tsx";
import { STEPS, useParts } from "./breakdown.ts";
import css from "./Funnel.module.css";
import type { Branch, Stage, Step } from "./funnel.ts";
import { useReasons } from "./reasons.ts";

/** Branches whose reasons are told without being asked. */
const TOLD: Step[] = [
  "failedOnIngest",
  "filteredAtSource",
  "filteredAtDestination",
  "failedDelivery",
  "pending",
];
const MAIN = 3;

export function Funnel(
  { stages, reasons, open, onOpen, children }: {
    stages: Stage[];
    /** Of whose events the main reasons are told at each branch. */
    reasons?: { sourceId: string; destinationId?: string; window: Window };
    /** What is broken down below. */
    open?: string;
    onOpen?: (step: Step) => void;
    children?: ReactNode;
  },
) {
  const top = Math.max(1, ...stages.map((each) => each.count));
  return (
    <div className="panel">
      <ol
        className={css.road}
        aria-label="From receipt to delivery"
        style={{ "--stages": stages.length } as never}
      >
        {stages.map((stage, at) => (
          <li key={stage.label} className={css.stage}>
            {at > 0 && <IconChevronRight size={16} className={css.arrow} aria-hidden />}
            <Opening step={stage.step} open={open} onOpen={onOpen} className={css.head}>
              <span className="dim small">{stage.label}</span>
              <span
                className={`num ${css.number}`}
                style={{ color: stage.state && STATES[stage.state].colour }}
              >
                {count(stage.count)}
              </span>
              <span className={css.track} aria-hidden>
                <span
                  className={css.bar}
                  style={{
                    width: `${(100 * stage.count) / top}%`,
                    background: stage.state ? STATES[stage.state].fill : undefined,
                  }}
                />
              </span>
            </Opening>
            {stage.branches.length > 0 && (
              <ul className={css.branches}>
                {stage.branches.map((branch) => (
                  <li key={branch.label} title={branch.help}>
                    <Opening step={branch.step} open={open} onOpen={onOpen} className={css.branch}>
                      <Sign branch={branch} final={at === stages.length - 1} />
                      <span className="num">{count(branch.count)}</span>
                      <span className="dim">{branch.label}</span>
                    </Opening>
                    {reasons && branch.step && TOLD.includes(branch.step) && (
                      <Why step={branch.step} of={{ ...reasons, count: branch.count }} />
                    )}
                  </li>
                ))}
              </ul>
            )}
          </li>
        ))}
      </ol>
      {children}
    </div>
  );
}

/** The main reasons of a branch. */
function Why(
  { step, of }: {
    step: Step;
    of: { sourceId: string; destinationId?: string; window: Window; count: number };
  },
) {
  const { data } = useParts(step, "discardReason", of);
  const reason = useReasons();
  const kind = STEPS[step].reason;
  if (!data || !kind) return null;
  return (
    <ul className={css.why}>
      {data.parts.slice(0, MAIN).map((part) => (
        <li key={part.key} title={reason(kind, part.key).explanation}>
          <span className="num">{count(part.total)}</span> {reason(kind, part.key).title}
        </li>
      ))}
      {data.parts.length > MAIN && <li>and {count(data.parts.length - MAIN)} more reasons</li>}
    </ul>
  );
}

function Sign({ branch, final }: { branch: Branch; final: boolean }) {
  if (branch.state) {
    return (
      <>
        <StateIcon state={branch.state} label={branch.joins ? "joins" : "leaves"} />
        <span className="dim" aria-hidden>−</span>
      </>
    );
  }
  return <span className={css.sign} aria-label={final ? "of which" : "joins"}>{final ? "↳" : "+"}</span>;
}

function Opening(
  { step, open, onOpen, className, children }: {
    step?: Step;
    open?: string;
    onOpen?: (step: Step) => void;
    className?: string;
    children: ReactNode;
  },
) {
  if (!step || !onOpen) return <div className={className}>{children}</div>;
  return (
    <button
      type="button"
      className={className}
      aria-pressed={open === step}
      onClick={() => onOpen(step)}
    >
      {children}
    </button>
  );
}
