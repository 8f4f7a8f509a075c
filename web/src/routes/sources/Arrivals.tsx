/** What a source has sent over time, by what the front door made of it. */
import { useQuery } from "@tanstack/react-query";
import { call } from "~/api/client.ts";
import type { Point } from "~/api/generated.ts";
import { fineness } from "~/delivery/breakdown.ts";
import { useGo } from "~/delivery/connections.ts";
import css from "~/delivery/EventDelivery.module.css";
import { type Moment, Trend } from "~/delivery/Trend.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { Section } from "~/parts/Section.tsx";
import { useWindow, type Window, WindowPicker } from "~/parts/WindowPicker.tsx";

const EVERY = 10_000;
const MINUTES = { MINUTE: 1, HOUR: 60, DAY: 1440 };
const WINDOW = "1h";

export function Arrivals({ sourceId }: { sourceId: string }) {
  const window = useWindow(WINDOW);
  const go = useGo();
  const { data, error, refetch } = useQuery({
    queryKey: ["arrivals", sourceId, window.key],
    queryFn: () => arrivals(sourceId, window),
    refetchInterval: EVERY,
  });
  return (
    <Section title="What came" actions={<WindowPicker otherwise={WINDOW} />}>
      <ErrorNote error={error} retry={refetch} />
      {data && (
        <div className={`panel ${css.padded}`}>
          <Trend
            series={data}
            bucketMinutes={MINUTES[fineness(window)]}
            words={{ delivered: "accepted", discarded: "discarded", filtered: "blocked" }}
            onNarrow={(from, to) => go({ window: `${from}~${to}` })}
          />
        </div>
      )}
    </Section>
  );
}

/** One moment for each bucket of the window, also where nothing came. */
async function arrivals(sourceId: string, window: Window): Promise<Moment[]> {
  const granularity = fineness(window);
  const { startTime, endTime } = window.range();
  const query = { sourceId, startTime, endTime, granularity };
  const [accepted, filtered, failed] = await Promise.all([
    call("getIngressSuccessMetricsFromDeliveryOverview", { query }),
    call("getFilteredAtSourceMetricsFromDeliveryOverview", { query }),
    call("getIngressFailedMetricsFromDeliveryOverview", { query }),
  ]);
  const counts = (answer: { dataset: { series: Point[] }[] }) =>
    new Map(
      answer.dataset.flatMap((each) => each.series).map(({ time, count }) => [Date.parse(time), count]),
    );
  const [delivered, blocked, notDelivered] = [counts(accepted), counts(filtered), counts(failed)];
  const step = MINUTES[granularity] * 60_000;
  const found: Moment[] = [];
  for (let at = Math.floor(Date.parse(startTime) / step) * step; at < Date.parse(endTime); at += step) {
    found.push({
      time: new Date(at).toISOString(),
      delivered: delivered.get(at) ?? 0,
      filtered: blocked.get(at) ?? 0,
      notDelivered: notDelivered.get(at) ?? 0,
    });
  }
  return found;
}
