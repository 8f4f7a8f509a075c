/**
 * Delivery of one destination, or of one of its mappings: what came and what became of it, the course, how
 * fast, and what failed with what to do about it. The window and the mapping stand in the address.
 *
 *     <EventDelivery destinationId={id} />
 */
import { Button, Select } from "@mantine/core";
import { IconSend } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { call } from "~/api/client.ts";
import type { EventDeliveryView } from "~/api/generated.ts";
import { useAll } from "~/api/hooks.ts";
import { useAddress } from "~/parts/address.ts";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { count, duration, percent } from "~/parts/format.ts";
import { Figure } from "~/parts/Num.tsx";
import { Section } from "~/parts/Section.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import { Time } from "~/parts/Time.tsx";
import { useWindow, type Window, WindowPicker } from "~/parts/WindowPicker.tsx";
import { Breakdown } from "./Breakdown.tsx";
import { useConnections, useGo } from "./connections.ts";
import { Errors, Filtered } from "./Errors.tsx";
import css from "./EventDelivery.module.css";
import { Funnel } from "./Funnel.tsx";
import { road, type Step } from "./funnel.ts";
import { SamplesDrawer, useOpenSamples } from "./Samples.tsx";
import { Trend } from "./Trend.tsx";

const EVERY = 5000;

export function EventDelivery({ destinationId }: { destinationId: string }) {
  const window = useWindow();
  const [subscriptionId, setSubscriptionId] = useAddress("mapping", "");
  const { destinations, destinationName } = useConnections();
  const sourceId = destinations.find((each) => each.id === destinationId)?.sourceId;
  const mappings = useAll("listSubscriptionsFromDestination", { path: { destinationId } });
  const mappingName = (id: string) => mappings.items?.find((each) => each.id === id)?.name || id;
  const { data, error, refetch } = useEventDelivery(destinationId, window, subscriptionId);
  const samples = useOpenSamples();
  const go = useGo();
  const name = destinationName(destinationId);
  const ended = data?.series.some((each) =>
    each.delivered + each.notDelivered + each.filtered + each.retried > 0
  );
  const known = data && [...data.errors, ...data.filtered];
  const nothing = data && !data.now.pending && !data.totals.delivered && !known!.length;
  return (
    <>
      <div className={css.bar}>
        {(mappings.items?.length ?? 0) > 1 && (
          <Select
            aria-label="Mapping"
            value={subscriptionId}
            onChange={(value) => setSubscriptionId(value ?? "")}
            data={[
              { value: "", label: "All mappings" },
              ...mappings.items!.map((each) => ({ value: each.id, label: each.name || each.actionSlug })),
            ]}
          />
        )}
        <span style={{ flex: 1 }} />
        <WindowPicker />
      </div>
      <ErrorNote error={error} retry={refetch} />
      {data && <Figures delivery={data} />}
      {nothing
        ? (
          <EmptyState icon={IconSend} title="Nothing was delivered in this window">
            Choose a longer window, or send an event to the source: it shows here within seconds.
          </EmptyState>
        )
        : (
          <>
            {sourceId && !subscriptionId && (
              <Road
                sourceId={sourceId}
                destinationId={destinationId}
                window={window}
                mappingName={mappingName}
              />
            )}
            {data && (
              <>
                <div style={{ height: 24 }} />
                {ended && (
                  <Section title="Over time">
                    <div className={`panel ${css.padded}`}>
                      <Trend
                        series={data.series}
                        bucketMinutes={data.bucketMinutes}
                        onNarrow={(from, to) => go({ window: `${from}~${to}` })}
                      />
                    </div>
                  </Section>
                )}
                <Section title="What failed">
                  {data.now.pausedSince && (
                    <Paused
                      since={data.now.pausedSince}
                      onSamples={() => samples.show("retried", "")}
                    />
                  )}
                  {(data.errors.length > 0 || !data.now.pausedSince) && (
                    <Errors
                      errors={data.errors}
                      destinationId={destinationId}
                      name={name}
                      mappingName={mappingName}
                      onSamples={samples.show}
                    />
                  )}
                </Section>
                {data.filtered.length > 0 && (
                  <Section title="What was filtered">
                    <Filtered reasons={data.filtered} />
                  </Section>
                )}
              </>
            )}
          </>
        )}
      {samples.open && (
        <SamplesDrawer
          destinationId={destinationId}
          subscriptionId={subscriptionId || undefined}
          window={window}
          title={data?.errors.find((each) => each.code === samples.open!.code)?.title ??
            (samples.open.code || "Latest failures")}
          {...samples.open}
          onClose={samples.close}
        />
      )}
    </>
  );
}

export function useEventDelivery(destinationId: string, window: Window, subscriptionId = "") {
  return useQuery({
    queryKey: ["getEventDeliveryFromDestination", destinationId, window.key, subscriptionId],
    queryFn: async () =>
      (await call("getEventDeliveryFromDestination", {
        path: { destinationId },
        query: { ...window.range(), subscriptionId: subscriptionId || undefined },
      })).eventDelivery,
    refetchInterval: EVERY,
  });
}

/** Probes are no attempts of any event, so they are not counted among the errors. */
function Paused({ since, onSamples }: { since: string; onSamples: () => void }) {
  return (
    <div className={`panel ${css.padded}`} style={{ marginBottom: 8 }}>
      <div style={{ display: "flex", gap: 8, alignItems: "center" }}>
        <StateChip state="retrying">Paused</StateChip>
        <b>It fails as a whole</b>
        <span className="dim small" style={{ marginLeft: "auto" }}>
          since <Time at={since} />
        </span>
      </div>
      <p style={{ margin: "4px 0 8px", maxWidth: 720 }}>
        Events wait in the log, and one is tried from time to time; no attempts are used up.{" "}
        <span className="dim">
          Look at what it answers. Once it takes an event, or its settings are changed, it catches up by
          itself.
        </span>
      </p>
      <Button variant="default" size="compact-sm" h={28} onClick={onSamples}>See samples</Button>
    </div>
  );
}

function Figures({ delivery: { totals, now } }: { delivery: EventDeliveryView }) {
  const state = now.pausedSince
    ? "retrying"
    : totals.notDelivered
    ? "discarded"
    : now.retrying
    ? "retrying"
    : "delivered";
  const word = now.pausedSince
    ? "Paused"
    : totals.notDelivered
    ? "Some failed"
    : now.retrying
    ? "Retrying"
    : "Healthy";
  return (
    <div className={css.figures}>
      <Figure
        name="State"
        note={now.pausedSince && (
          <>
            fails as a whole since <Time at={now.pausedSince} />; probed, nothing lost
          </>
        )}
      >
        <StateChip state={state}>{word}</StateChip>
      </Figure>
      <Figure
        name="Success rate"
        note={totals.firstAttemptRate !== null && `${percent(totals.firstAttemptRate)} at once`}
      >
        {totals.successRate === null ? "–" : percent(totals.successRate)}
      </Figure>
      <Figure name="P95 latency" note="from receipt">
        {totals.p95LatencyMs === null ? "–" : duration(totals.p95LatencyMs)}
      </Figure>
      <Figure name="Attempts" note="on average">
        {totals.averageAttempts === null ? "–" : totals.averageAttempts.toFixed(2)}
      </Figure>
      <Figure name="Retrying now" note={`of ${count(now.pending)} pending`}>{count(now.retrying)}</Figure>
    </div>
  );
}

function Road(
  { sourceId, destinationId, window, mappingName }: {
    sourceId: string;
    destinationId: string;
    window: Window;
    mappingName: (id: string) => string;
  },
) {
  const [step, setStep] = useAddress<Step | "">("step", "");
  const { data } = useFunnel(sourceId, destinationId, window);
  if (!data?.destination) return null;
  return (
    <Funnel
      stages={road(data)}
      reasons={{ sourceId, destinationId, window }}
      open={step}
      onOpen={(each) => setStep(each === step ? "" : each)}
    >
      {step && (
        <Breakdown
          step={step}
          sourceId={sourceId}
          destinationId={destinationId}
          window={window}
          mappingName={mappingName}
          onClose={() => setStep("")}
        />
      )}
    </Funnel>
  );
}

export function useFunnel(sourceId: string, destinationId: string | undefined, window: Window) {
  return useQuery({
    queryKey: ["getDeliveryFunnel", sourceId, destinationId, window.key],
    queryFn: async () =>
      (await call("getDeliveryFunnel", {
        query: { sourceId, destinationConfigId: destinationId, ...window.range() },
      })).funnel,
    enabled: !!sourceId,
    refetchInterval: EVERY,
  });
}
