/** A source's latest events: asked for every second, each line with a key of its own that lasts. */
import { useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { call } from "~/api/client.ts";
import type { DebuggerLine } from "~/api/generated.ts";

const EVERY = 1000;
const KEPT = 200;

export interface Line {
  key: string;
  event: DebuggerLine;
}

interface Tail {
  /** Newest first. */
  lines: Line[];
  /** How many have come that are not among them, as it is held. */
  waiting: number;
  error: unknown;
  /** Nothing has ever come. */
  empty: boolean;
}

/** `held`: keep showing what is shown. */
export function useTail(sourceId: string, held: boolean): Tail {
  const shown = useRef<Line[]>([]);
  const { data, error } = useQuery({
    queryKey: ["tail", sourceId],
    queryFn: async () => {
      const { events } = await call("listSourceDebuggerEvents", {
        path: { sourceId },
        query: { count: KEPT },
      });
      return keyed(events);
    },
    refetchInterval: EVERY,
  });
  const latest = data ?? [];
  if (!held || !shown.current.length) shown.current = latest;
  const first = shown.current[0]?.key;
  const at = latest.findIndex(({ key }) => key === first);
  return {
    lines: shown.current,
    waiting: at < 0 ? latest.length : at,
    error,
    empty: data !== undefined && latest.length === 0,
  };
}

/** Received at, messageId, and a number where that is the same: from the oldest on, so that it stays. */
function keyed(events: DebuggerLine[]): Line[] {
  const seen = new Map<string, number>();
  return events.toReversed().map((event) => {
    const base = `${event.receivedAt} ${event.messageId ?? event.type}`;
    const times = seen.get(base) ?? 0;
    seen.set(base, times + 1);
    return { key: times ? `${base} ${times}` : base, event };
  }).toReversed();
}
