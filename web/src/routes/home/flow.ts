/**
 * What flows now: each source's and destination's rate, live, and its course of the last minute. One stream
 * serves all that ask, for as long as somebody does.
 */
import { useSyncExternalStore } from "react";
import type { ConnectedDestination, ConnectedSource } from "~/api/generated.ts";
import { useApi } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { listen, type RatesMessage } from "~/api/stream.ts";

const KEPT = 30;
/** Names, connections and what was given up on change more slowly than the rates. */
const EVERY = 10_000;

export interface Rate {
  /** Events a second. */
  rate: number;
  series: number[];
}

export interface Flow {
  sources: ConnectedSource[] | undefined;
  destinations: ConnectedDestination[];
  error: unknown;
  refetch: () => void;
  destinationsOf: (sourceId: string) => ConnectedDestination[];
  ofSource: (id: string) => Rate;
  ofDestination: (id: string) => Rate;
}

interface Rates {
  workspace: string;
  series: Map<string, number[]>;
  sources: Map<string, RatesMessage["sources"][number]>;
  destinations: Map<string, RatesMessage["destinations"][number]>;
}

const nothing = (workspace: string): Rates => ({
  workspace,
  series: new Map(),
  sources: new Map(),
  destinations: new Map(),
});

let rates = nothing("");
const listeners = new Set<() => void>();
let stop: (() => void) | undefined;

function follow(workspace: string): (listener: () => void) => () => void {
  return (listener) => {
    listeners.add(listener);
    if (rates.workspace !== workspace) {
      stop?.();
      stop = undefined;
      rates = nothing(workspace);
    }
    stop ??= listen("streamRates", {}, hear, () => {});
    return () => {
      listeners.delete(listener);
      if (listeners.size) return;
      stop?.();
      stop = undefined;
    };
  };
}

/** Messages after the first have only what changed: the others go on as they were. */
function hear(message: RatesMessage) {
  const sources = new Map(rates.sources);
  const destinations = new Map(rates.destinations);
  message.sources.forEach((each) => sources.set(each.id, each));
  message.destinations.forEach((each) => destinations.set(each.id, each));
  const series = new Map<string, number[]>();
  const note = (id: string, rate: number) =>
    series.set(id, [...(rates.series.get(id) ?? []), ...(message.complete ? [] : [rate])].slice(-KEPT));
  sources.forEach((each) => note(each.id, each.perSecond));
  destinations.forEach((each) => note(each.id, each.deliveredPerSecond));
  rates = { workspace: rates.workspace, series, sources, destinations };
  listeners.forEach((each) => each());
}

const NOWHERE = () => () => {};
const follows = new Map<string, ReturnType<typeof follow>>();

function followOf(workspace: string) {
  const found = follows.get(workspace) ?? follow(workspace);
  follows.set(workspace, found);
  return found;
}

/** `every`: milliseconds between two looks at all that the stream does not tell. */
export function useFlow(every = EVERY): Flow {
  const { workspace, may } = useSession();
  const id = workspace?.id ?? "";
  const enabled = may("source:read");
  const now = useSyncExternalStore(enabled ? followOf(id) : NOWHERE, () => rates);
  const { data, error, refetch } = useApi("getConnections", {}, { enabled, every });
  const sources = data?.connections.sources.map((each) => {
    const live = now.sources.get(each.id);
    return live ? { ...each, accepted: live.accepted } : each;
  });
  const destinations = (data?.connections.destinations ?? []).map((each) => {
    const live = now.destinations.get(each.id);
    if (!live) return each;
    const { pending, retrying, pausedSince } = live;
    return { ...each, delivery: { ...each.delivery, pending, retrying, pausedSince } };
  });
  const series = (id: string) => now.series.get(id) ?? [];
  return {
    sources,
    destinations,
    error,
    refetch,
    destinationsOf: (sourceId) => destinations.filter((each) => each.sourceId === sourceId),
    ofSource: (id) => ({ rate: now.sources.get(id)?.perSecond ?? 0, series: series(id) }),
    ofDestination: (id) => ({ rate: now.destinations.get(id)?.deliveredPerSecond ?? 0, series: series(id) }),
  };
}
