/** The road of a source's events as a funnel, to one of its destinations or to all of them side by side. */
import { Select } from "@mantine/core";
import { IconFilter, IconPlugConnected } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { call } from "~/api/client.ts";
import type { ConnectedDestination, DestinationSteps } from "~/api/generated.ts";
import { useAll } from "~/api/hooks.ts";
import { Breakdown } from "~/delivery/Breakdown.tsx";
import { useConnections, useGo, useParameters } from "~/delivery/connections.ts";
import { useFunnel } from "~/delivery/EventDelivery.tsx";
import { Funnel } from "~/delivery/Funnel.tsx";
import { stagesOf, type Step } from "~/delivery/funnel.ts";
import { type Column, DataTable } from "~/parts/DataTable.tsx";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { count } from "~/parts/format.ts";
import { LinkButton } from "~/parts/LinkButton.tsx";
import { Section } from "~/parts/Section.tsx";
import { type Share, Shares } from "~/parts/Shares.tsx";
import { StateIcon } from "~/parts/StateChip.tsx";
import type { State } from "~/parts/states.ts";
import { useWindow, type Window, WindowPicker } from "~/parts/WindowPicker.tsx";

export default function Overview() {
  const window = useWindow();
  const { source: asked, destination: to = "", step = "" } = useParameters();
  const go = useGo();
  const { sources, destinations, error, refetch } = useConnections();
  const busiest = sources?.toSorted((a, b) => b.accepted - a.accepted)[0];
  const sourceId = asked ?? destinations.find((each) => each.id === to)?.sourceId ?? busiest?.id ?? "";
  const its = destinations.filter((each) => each.sourceId === sourceId);
  const funnel = useFunnel(sourceId, to || undefined, window);
  const mappings = useAll("listSubscriptionsFromDestination", { path: { destinationId: to } }, {
    enabled: !!to,
  });
  if (sources?.length === 0) {
    return (
      <EmptyState
        icon={IconPlugConnected}
        title="There is nothing to deliver yet"
        action={<LinkButton to="/start">Connect a source</LinkButton>}
      >
        Once a source sends, its road is here: what came, what was filtered, what failed, what arrived.
      </EmptyState>
    );
  }
  return (
    <>
      <div style={{ display: "flex", flexWrap: "wrap", gap: 8, marginBottom: 16 }}>
        <Select
          aria-label="Source"
          leftSection={<IconPlugConnected size={16} />}
          searchable={(sources?.length ?? 0) > 8}
          value={sourceId}
          onChange={(value) => go({ source: value ?? undefined, destination: undefined, step: undefined })}
          data={(sources ?? []).map((each) => ({ value: each.id, label: each.name || each.slug }))}
        />
        <Select
          aria-label="Destination"
          searchable={its.length > 8}
          value={to}
          onChange={(value) => go({ source: sourceId, destination: value || undefined, step: undefined })}
          data={[
            { value: "", label: "All destinations" },
            ...its.map((each) => ({ value: each.id, label: each.name || each.kindName })),
          ]}
        />
        <span style={{ flex: 1 }} />
        <WindowPicker />
      </div>
      <ErrorNote error={error ?? funnel.error} retry={error ? refetch : funnel.refetch} />
      {funnel.data && (
        <Funnel
          stages={stagesOf(funnel.data)}
          reasons={{ sourceId, destinationId: to || undefined, window }}
          open={step}
          onOpen={(each) => go({ step: each === step ? undefined : each, by: undefined })}
        >
          {step && (
            <Breakdown
              step={step as Step}
              sourceId={sourceId}
              destinationId={to || undefined}
              window={window}
              mappingName={(id) => mappings.items?.find((each) => each.id === id)?.name ?? id}
              onClose={() => go({ step: undefined, by: undefined })}
            />
          )}
        </Funnel>
      )}
      {funnel.data && to && !funnel.data.destination && (
        <p className="dim">This destination was never enabled: nothing was counted for it.</p>
      )}
      {to && funnel.data?.destination && (
        <p className="dim">
          Latency, errors with what to do about them, and samples:{" "}
          <Link
            to="/destinations/$destinationId/delivery"
            params={{ destinationId: to }}
            search={{ window: window.key } as never}
            style={{ textDecoration: "underline" }}
          >
            delivery of this destination
          </Link>
        </p>
      )}
      <div style={{ height: 24 }} />
      {!to && sourceId && sources && (
        <Section title="Its destinations">
          {its.length ? <All destinations={its} sourceId={sourceId} window={window} /> : (
            <EmptyState
              icon={IconFilter}
              title="Nothing is connected to this source"
              action={
                <LinkButton to="/destinations/add" search={{ source: sourceId } as never}>
                  Add destination
                </LinkButton>
              }
            >
              Its events are kept, and go nowhere yet.
            </EmptyState>
          )}
        </Section>
      )}
    </>
  );
}

function All(
  { destinations, sourceId, window }: {
    destinations: ConnectedDestination[];
    sourceId: string;
    window: Window;
  },
) {
  const go = useGo();
  const { data, error } = useQuery({
    queryKey: ["getDeliverySideBySide", sourceId, window.key],
    queryFn: async () =>
      (await call("getDeliverySideBySide", { query: { sourceId, ...window.range() } })).sideBySide,
    refetchInterval: 10_000,
  });
  const steps = new Map(data?.destinations.map((each) => [each.destinationConfigId, each.steps]));
  const figure = (head: string, state: State, wide = false): Column<ConnectedDestination> => ({
    key: head,
    head,
    width: "104px",
    align: "right",
    wide,
    cell: (each) => {
      const found = steps.get(each.id);
      const share = found && sharesOf(found).find((one) => one.state === state)!;
      return share?.count
        ? (
          <>
            <StateIcon state={state} label="" /> {count(share.count)}
          </>
        )
        : <span className="dim">–</span>;
    },
  });
  return (
    <>
      <ErrorNote error={error} />
      <DataTable
        label="Destinations of this source"
        rows={destinations}
        rowKey={(each) => each.id}
        onOpen={(each) => go({ source: sourceId, destination: each.id, step: undefined })}
        columns={[
          {
            key: "name",
            head: "Destination",
            cell: (each) => (
              <>
                <span style={{ fontWeight: 500 }}>{each.name || each.kindName}</span>{" "}
                {!each.enabled && <span className="dim">disabled</span>}
              </>
            ),
          },
          {
            key: "shares",
            head: "What became of its events",
            wide: true,
            cell: (each) => {
              const found = steps.get(each.id);
              return found && <Shares shares={sharesOf(found)} />;
            },
          },
          figure("Filtered", "filtered", true),
          figure("Failed", "discarded"),
          figure("Pending", "pending", true),
          figure("Delivered", "delivered"),
        ]}
      />
    </>
  );
}

function sharesOf(steps: DestinationSteps): Share[] {
  return [
    { state: "delivered", count: steps.successfulDelivery, word: "delivered" },
    { state: "discarded", count: steps.failedDelivery, word: "failed" },
    { state: "pending", count: steps.pending, word: "pending" },
    { state: "filtered", count: steps.filteredAtDestination + steps.notForIt, word: "filtered" },
  ];
}
