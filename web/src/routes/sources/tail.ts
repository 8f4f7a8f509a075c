/** A source's latest events, live: each line has a key of its own that lasts, also in another browser. */
import { useEffect, useRef, useState } from "react";
import type { DebuggerLine } from "~/api/generated.ts";
import { listen, type TailMessage } from "~/api/stream.ts";

const PER_SECOND = 100;
const KEPT = 500;
/** Keys that are remembered; more than the server keeps lines, so that none of those is told twice. */
const KNOWN = 4 * KEPT;

export interface Line {
  key: string;
  event: DebuggerLine;
}

interface Tail {
  /** Newest first. */
  lines: Line[];
  /** How many have come that are not among them, as they are held. */
  waiting: number;
  /** How many of the last second's came too fast to be shown. */
  skipped: number;
  error: unknown;
  /** Nothing has ever come. */
  empty: boolean;
}

interface Seen {
  lines: Line[];
  came: number;
  skipped: number;
}

/** `held`: keep showing what is shown. */
export function useTail(sourceId: string, held: boolean): Tail {
  const [seen, setSeen] = useState<Seen>();
  const [error, setError] = useState<unknown>();
  const shown = useRef<Seen>(undefined);
  useEffect(() => {
    setSeen(undefined);
    shown.current = undefined;
    const known = new Map<string, number>();
    const hear = ({ events, came, skipped }: TailMessage, first: boolean) => {
      const fresh = events.flatMap((event) => {
        const base = `${event.receivedAt} ${event.messageId ?? event.type}`;
        const times = known.get(base) ?? 0;
        if (first && times) return []; // Another connection tells again what there was.
        known.set(base, times + 1);
        return [{ key: times ? `${base} ${times}` : base, event }];
      });
      for (const key of known.keys()) { // the oldest first
        if (known.size <= KNOWN) break;
        known.delete(key);
      }
      setSeen((before) => ({
        lines: [...fresh.toReversed(), ...(before?.lines ?? [])].slice(0, KEPT),
        came: (before?.came ?? 0) + (first ? fresh.length : came),
        skipped,
      }));
    };
    return listen(
      "streamSourceDebuggerEvents",
      { path: { sourceId }, query: { perSecond: PER_SECOND } },
      hear,
      setError,
    );
  }, [sourceId]);
  if (!held || !shown.current?.lines.length) shown.current = seen;
  return {
    lines: shown.current?.lines ?? [],
    waiting: (seen?.came ?? 0) - (shown.current?.came ?? 0),
    skipped: seen?.skipped ?? 0,
    error,
    empty: seen?.lines.length === 0,
  };
}
