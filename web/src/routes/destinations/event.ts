/**
 * The event that is tried: a real one of the source's debugger, a made-up one, or one's own. Which one is in
 * the address (`event=MESSAGE_ID`, `event=sample:page`); one's own, which is typed, is not.
 */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "~/api/client.ts";
import type { DebuggerLine } from "~/api/generated.ts";
import { useApi } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { useAddress } from "~/parts/address.ts";

export type Event = Record<string, unknown>;

export const TYPES = ["track", "page", "screen", "identify", "group", "alias"];
const SAMPLE = "sample:";
const LATEST = 50;

export interface ChosenEvent {
  /** `sample:TYPE`, a messageId, or "own". */
  key: string;
  event: Event | undefined;
  /** As testers take it. */
  given: { messageId: string } | { payload: Event } | undefined;
  /** Real ones, newest first. */
  lines: DebuggerLine[];
  /** What is typed of one's own, and why it is no event. */
  text: string | undefined;
  problem: string | undefined;
  error: unknown;
  choose: (key: string) => void;
  /** Type one's own, from what is shown. */
  write: (text: string | undefined) => void;
}

/** `trigger` is of what the event is tried on: at first it is the newest that meets it, if one does. */
export function useEvent(sourceId: string | undefined, trigger?: string): ChosenEvent {
  const { may } = useSession();
  const [chosen, setChosen] = useAddress("event", "");
  const [text, setText] = useState<string>();
  const [first, setFirst] = useState<DebuggerLine>();
  const real = may("debugger:read") && may("pii:read");
  const ring = useApi(
    "listSourceDebuggerEvents",
    { path: { sourceId: sourceId ?? "" }, query: { count: LATEST } },
    { enabled: real && !!sourceId, every: 3000 },
  );
  const lines = usable(ring.data?.events);
  const meant = useApi(
    "listSourceDebuggerEvents",
    { path: { sourceId: sourceId ?? "" }, query: { count: LATEST, trigger } },
    { enabled: real && !!sourceId && !!trigger && !chosen && !first, every: 3000 },
  );
  const asked = !trigger || meant.data !== undefined || meant.error !== null;
  // It stays while others come.
  const best = usable(meant.data?.events)[0] ?? lines[0];
  if (!first && asked && best) setFirst(best);
  const looked = !real || ring.error !== null || (ring.data !== undefined && asked);
  const key = chosen || first?.messageId || (looked ? `${SAMPLE}track` : "");
  const type = key.startsWith(SAMPLE) ? key.slice(SAMPLE.length) : "";
  const sample = useQuery({
    queryKey: ["getSampleEvent", type],
    queryFn: () => call("getSampleEvent", { query: { type } }),
    enabled: type !== "",
    staleTime: Infinity,
  });
  const line = lines.find((each) => each.messageId === key) ?? (first?.messageId === key ? first : undefined);
  const own = text === undefined ? undefined : parsed(text);
  const event = own ? own.event : type ? sample.data?.event : line?.payload as Event | undefined;
  return {
    key: own ? "own" : key,
    event,
    given: own || type ? event && { payload: event } : key ? { messageId: key } : undefined,
    lines,
    text,
    problem: own?.problem,
    error: ring.error ?? sample.error,
    choose: (next) => {
      setText(undefined);
      setChosen(next);
    },
    write: setText,
  };
}

/** Those that testers can find again. */
function usable(lines: DebuggerLine[] = []): DebuggerLine[] {
  return lines.filter((each) =>
    each.verdict === "accepted" && each.messageId && typeof each.payload === "object"
  );
}

function parsed(text: string): { event?: Event; problem?: string } {
  try {
    const event = JSON.parse(text);
    if (event && typeof event === "object" && !Array.isArray(event)) return { event };
    return { problem: "An event is a JSON object." };
  } catch (error) {
    return { problem: `This is not JSON: ${(error as Error).message}` };
  }
}
