/** A trace's shapes, as `traceEvents` answers them, and the five states for its seven. */
import { useQuery } from "@tanstack/react-query";
import { call } from "~/api/client.ts";
import type { State } from "~/parts/states.ts";

export type Fate = "delivered" | "filtered" | "discarded" | "retrying" | "pending" | "notForIt" | "unknown";

export interface Step {
  stage: string;
  passed: boolean;
  id: string;
  name: string;
  code: string;
  message: string;
  output: unknown;
}

export interface Attempt {
  time: string;
  attempt: number;
  outcome: "retry" | "delivered" | "discarded";
  code: string;
  message: string;
  nextAttemptAt: string | null;
}

export interface Delivery {
  subscriptionId: string | null;
  name: string;
  status: Fate;
  summary: string;
  code: string;
  message: string;
  attemptsMade: number;
  attempts: Attempt[];
  nextAttemptAt: string | null;
  givesUpAt: string | null;
  discardId: string | null;
  payload: unknown;
}

export interface Destination {
  destinationId: string;
  name: string;
  status: Fate;
  summary: string;
  code: string;
  configurationVersion: number | null;
  steps: Step[];
  deliveries: Delivery[];
}

export interface Trace {
  messageId: string;
  sourceId: string;
  receivedAt: string;
  event: Record<string, unknown>;
  destinations: Destination[];
}

export interface Searched {
  startTime: string;
  endTime: string;
  complete: boolean;
  nextTime: string | null;
  records: number;
}

export interface Wanted {
  messageId?: string;
  userId?: string;
  sourceId?: string;
  startTime?: string;
  endTime?: string;
}

export function useTrace(
  key: unknown[],
  wanted: () => Wanted,
  enabled: boolean,
  every: number | false = 5000,
) {
  return useQuery({
    queryKey: ["traceEvents", ...key],
    queryFn: async () => {
      const answer = await call("traceEvents", { query: { ...wanted(), limit: 50 } });
      return {
        traces: answer.traces as unknown as Trace[],
        searched: answer.searched as unknown as Searched | null,
      };
    },
    enabled,
    // As long as something is still on its way.
    refetchInterval: ({ state }) =>
      state.data?.traces.some((each) => each.destinations.some((to) => underWay(to.status))) ? every : false,
  });
}

export function underWay(fate: Fate): boolean {
  return fate === "pending" || fate === "retrying";
}

export function stateOf(fate: Fate): State {
  return fate === "notForIt" || fate === "unknown" ? "filtered" : fate;
}

export const FATES: Record<Fate, string> = {
  delivered: "Delivered",
  filtered: "Filtered",
  discarded: "Discarded",
  retrying: "Retrying",
  pending: "Pending",
  notForIt: "Not for it",
  unknown: "No longer known",
};

export function eventName(event: Record<string, unknown>): string {
  const type = String(event.type ?? "event");
  const word = type.charAt(0).toUpperCase() + type.slice(1);
  if (typeof event.event === "string") return event.event;
  return typeof event.name === "string" && event.name ? `${word}: ${event.name}` : word;
}

export function eventWho(event: Record<string, unknown>): string {
  return String(event.userId ?? event.anonymousId ?? "");
}
