/** A source's events in a window: numbers from the counters, switches from its schema settings. */
import { useQuery } from "@tanstack/react-query";
import { call } from "~/api/client.ts";
import { useApi } from "~/api/hooks.ts";
import { granularity, type Window } from "~/parts/WindowPicker.tsx";

export interface SchemaRow {
  key: string;
  type: string;
  /** Of a track call; empty for other types. */
  name: string;
  count: number;
  series: number[];
  blocked: number;
  enabled: boolean;
}

export function useSchema(
  sourceId: string,
  window: Window,
): { rows: SchemaRow[] | undefined; error: unknown } {
  const counts = useQuery({
    queryKey: ["schema", sourceId, window.key],
    queryFn: async () => {
      const asked = { ...window.range(), granularity: granularity(window) };
      const groupBy = ["eventType", "eventName"];
      const pagination = { count: 1000 };
      const [volume, blocked] = await Promise.all([
        call("getEventsVolumeFromWorkspace", {
          query: { ...asked, groupBy, sourceId: [sourceId], pagination },
        }),
        call("getFilteredAtSourceMetricsFromDeliveryOverview", {
          query: { ...asked, groupBy, sourceId, pagination },
        }),
      ]);
      return { volume: volume.result, blocked: blocked.dataset };
    },
    refetchInterval: 10_000,
  });
  const toggles = useApi("listSchemaEventsInSource", { path: { sourceId } });
  if (!counts.data || !toggles.data) return { rows: undefined, error: counts.error ?? toggles.error };
  const rows = new Map<string, SchemaRow>();
  const row = (type = "", called = "") => {
    const name = type === "track" ? called : "";
    const key = `${type} ${name}`;
    const found = rows.get(key) ?? { key, type, name, count: 0, series: [], blocked: 0, enabled: true };
    rows.set(key, found);
    return found;
  };
  for (const each of counts.data.volume) {
    const found = row(each.eventType, each.eventName);
    found.count += each.total;
    found.series = each.series.map((point) => point.count);
  }
  for (const each of counts.data.blocked) row(each.eventType, each.eventName).blocked += each.total;
  for (const each of toggles.data.events) row(each.type.toLowerCase(), each.name).enabled = each.enabled;
  return {
    rows: [...rows.values()].toSorted((a, b) => b.count - a.count || a.key.localeCompare(b.key)),
    error: undefined,
  };
}
