/**
 * What flows now: each source's and destination's rate, from how far their counters have come between two
 * looks, and the course of the last minute.
 */
import { useQuery } from "@tanstack/react-query";
import { call } from "~/api/client.ts";
import type { ConnectedDestination, ConnectedSource } from "~/api/generated.ts";
import { useSession } from "~/api/session.ts";

const EVERY = 2000;
const KEPT = 30;

interface Look {
  at: number;
  sources: ConnectedSource[];
  destinations: ConnectedDestination[];
}

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

/** By workspace, oldest first; kept while one goes from page to page. */
const looks = new Map<string, Look[]>();

export function useFlow(): Flow {
  const { workspace, may } = useSession();
  const kept = looks.get(workspace?.id ?? "") ?? [];
  const { data, error, refetch } = useQuery({
    queryKey: ["getConnections", workspace?.id],
    queryFn: async () => {
      const { connections } = await call("getConnections");
      const before = (looks.get(workspace?.id ?? "") ?? []).filter((each) =>
        Date.now() - each.at < KEPT * EVERY * 2
      );
      looks.set(workspace?.id ?? "", [...before, { at: Date.now(), ...connections }].slice(-KEPT));
      return connections;
    },
    enabled: may("source:read"),
    // The first two looks are close together, so that there is a rate to show.
    refetchInterval: () => ((looks.get(workspace?.id ?? "")?.length ?? 0) < 2 ? 500 : EVERY),
  });
  const courses =
    (list: "sources" | "destinations", counted: (each: never) => number) => (id: string): Rate => {
      const points = kept.flatMap(({ at, [list]: found }) => {
        const one = (found as { id: string }[]).find((each) => each.id === id);
        return one ? [{ at, count: counted(one as never) }] : [];
      });
      const series = points.slice(1).map((each, index) => {
        const last = points[index]!;
        return (Math.max(0, each.count - last.count) / Math.max(each.at - last.at, 1)) * 1000;
      });
      const latest = series.slice(-5);
      return { rate: latest.length ? latest.reduce((a, b) => a + b, 0) / latest.length : 0, series };
    };
  const destinations = data?.destinations ?? [];
  return {
    sources: data?.sources,
    destinations,
    error,
    refetch,
    destinationsOf: (sourceId) => destinations.filter((each) => each.sourceId === sourceId),
    ofSource: courses("sources", (each: ConnectedSource) => each.accepted),
    ofDestination: courses("destinations", (each: ConnectedDestination) => each.delivery.delivered),
  };
}
