/** One event as the front door saw it: when, what, who, and its verdict. */
import { memo } from "react";
import type { DebuggerLine } from "~/api/generated.ts";
import { absolute, clock } from "~/parts/format.ts";
import { StateChip, StateIcon } from "~/parts/StateChip.tsx";
import type { State } from "~/parts/states.ts";
import css from "./EventLine.module.css";
import { nameOf, typeIcon, whoOf } from "./events.ts";

const VERDICTS: Record<DebuggerLine["verdict"], { state: State; word: string }> = {
  accepted: { state: "delivered", word: "Accepted" },
  discarded: { state: "discarded", word: "Discarded" },
  duplicate: { state: "filtered", word: "Duplicate" },
  filtered: { state: "filtered", word: "Blocked" },
};

/** Drawn once, however often the list around it is: some hundred come in a second. */
export const EventLine = memo(function EventLine(
  { event, line = "", onOpen, open }: {
    event: DebuggerLine;
    /** Its key. */
    line?: string;
    onOpen?: (line: string) => void;
    open?: boolean;
  },
) {
  const Icon = typeIcon(event.type);
  const { state, word } = VERDICTS[event.verdict];
  const inside = (
    <>
      <time className="num dim" dateTime={event.receivedAt} title={absolute(Date.parse(event.receivedAt))}>
        {clock(new Date(event.receivedAt))}
      </time>
      <span className={css.type} title={event.type}>
        <Icon size={16} stroke={1.75} aria-label={event.type} />
        <span className="cut" style={{ fontWeight: 500 }}>{nameOf(event)}</span>
      </span>
      <span className={`cut dim ${css.who}`}>{whoOf(event)}</span>
      {event.verdict === "accepted"
        ? <StateIcon state={state} label={word} />
        : (
          <StateChip state={state} title={event.code ?? undefined}>
            {event.code ? `${word}: ${event.code.toLowerCase().replaceAll("_", " ")}` : word}
          </StateChip>
        )}
    </>
  );
  return onOpen
    ? (
      <button
        type="button"
        className={css.line}
        onClick={() => onOpen(line)}
        data-row
        data-open={open || undefined}
      >
        {inside}
      </button>
    )
    : <div className={css.line}>{inside}</div>;
});
