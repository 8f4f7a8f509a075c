/** What retries rescue: first-attempt success against final delivery, over time and for each destination. */
import { Button } from "@mantine/core";
import { IconChartLine } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useQuery } from "@tanstack/react-query";
import { call } from "~/api/client.ts";
import type { DeliverabilityPoint, DestinationDeliverability } from "~/api/generated.ts";
import { RatePlot } from "~/delivery/RatePlot.tsx";
import { useAddress } from "~/parts/address.ts";
import { type Column, DataTable } from "~/parts/DataTable.tsx";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { count, percent } from "~/parts/format.ts";
import { Figure } from "~/parts/Num.tsx";
import { Section } from "~/parts/Section.tsx";
import { Shares } from "~/parts/Shares.tsx";
import { useWindow, WindowPicker } from "~/parts/WindowPicker.tsx";

export default function Deliverability() {
  const window = useWindow();
  const [chosen, setChosen] = useAddress("destination", "");
  const { data, error, refetch } = useQuery({
    queryKey: ["getDeliverability", window.key],
    queryFn: async () => (await call("getDeliverability", { query: window.range() })).deliverability,
    refetchInterval: 10_000,
  });
  const one = data?.destinations.find((each) => each.destinationId === chosen);
  const total = one ?? data?.total;
  const series = one ? one.series : merged(data?.destinations ?? []);
  return (
    <>
      <div style={{ display: "flex", gap: 8, justifyContent: "flex-end", marginBottom: 16 }}>
        <WindowPicker />
      </div>
      <ErrorNote error={error} retry={refetch} />
      {data?.destinations.length === 0 && (
        <EmptyState icon={IconChartLine} title="Nothing was delivered in this window">
          Here one sees how much arrives at the first attempt, and how much more because Onward tries again.
        </EmptyState>
      )}
      {data && total && data.destinations.length > 0 && (
        <>
          <div style={{ display: "flex", flexWrap: "wrap", gap: "16px 40px", marginBottom: 16 }}>
            <Figure name="Delivered at first attempt">{rate(total.firstAttemptRate)}</Figure>
            <Figure name="Delivered in the end">{rate(total.finalRate)}</Figure>
            <Figure name="Rescued by retries">{count(total.rescued)}</Figure>
            <Figure name="Given up on">{count(total.notDelivered)}</Figure>
          </div>
          <Section
            title={one ? one.name : "All destinations"}
            actions={one && (
              <Button variant="subtle" size="compact-sm" onClick={() => setChosen("")}>Show all</Button>
            )}
          >
            <RatePlot
              series={series}
              startTime={data.startTime}
              endTime={data.endTime}
              bucketMinutes={data.bucketMinutes}
            />
          </Section>
          <Section
            title="By destination"
            note="The worst first. What came to an end in this window counts; what is pending does not yet."
          >
            <DataTable
              label="Deliverability by destination"
              columns={COLUMNS}
              rows={data.destinations}
              rowKey={(each) => each.destinationId}
              open={chosen}
              onOpen={(each) => setChosen(each.destinationId === chosen ? "" : each.destinationId)}
            />
          </Section>
        </>
      )}
    </>
  );
}

const COLUMNS: Column<DestinationDeliverability>[] = [
  {
    key: "name",
    head: "Destination",
    cell: (each) => (
      <Link
        to="/destinations/$destinationId/delivery"
        params={{ destinationId: each.destinationId }}
        onClick={(event) => event.stopPropagation()}
      >
        {each.name}
      </Link>
    ),
  },
  {
    key: "shares",
    head: "At once, rescued, given up on",
    wide: true,
    cell: (each) => (
      <Shares
        shares={[
          { state: "delivered", count: each.delivered - each.rescued, word: "at the first attempt" },
          { state: "retrying", count: each.rescued, word: "rescued by retries" },
          { state: "discarded", count: each.notDelivered, word: "given up on" },
        ]}
      />
    ),
  },
  {
    key: "first",
    head: "First attempt",
    width: "96px",
    align: "right",
    cell: (each) => rate(each.firstAttemptRate),
  },
  { key: "final", head: "In the end", width: "88px", align: "right", cell: (each) => rate(each.finalRate) },
  {
    key: "rescued",
    head: "Rescued",
    width: "88px",
    align: "right",
    wide: true,
    cell: (each) => count(each.rescued),
  },
  {
    key: "lost",
    head: "Given up on",
    width: "96px",
    align: "right",
    wide: true,
    cell: (each) => count(each.notDelivered),
  },
];

function rate(share: number | null): string {
  return share === null ? "–" : percent(share);
}

/** All destinations as one, bucket by bucket. */
function merged(destinations: DestinationDeliverability[]): DeliverabilityPoint[] {
  const found = new Map<string, { delivered: number; rescued: number; notDelivered: number }>();
  for (const point of destinations.flatMap((each) => each.series)) {
    const sum = found.get(point.time) ?? { delivered: 0, rescued: 0, notDelivered: 0 };
    sum.delivered += point.delivered;
    sum.rescued += point.rescued;
    sum.notDelivered += point.notDelivered;
    found.set(point.time, sum);
  }
  return [...found].toSorted(([a], [b]) => a.localeCompare(b)).map(([time, sum]) => {
    const ended = sum.delivered + sum.notDelivered;
    return {
      time,
      ...sum,
      finalRate: ended ? sum.delivered / ended : null,
      firstAttemptRate: ended ? (sum.delivered - sum.rescued) / ended : null,
    };
  });
}
