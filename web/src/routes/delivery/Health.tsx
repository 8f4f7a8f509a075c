/** Connection Health: every source and destination in a word and a sentence, trouble first. */
import { IconHeartbeat } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { HealthView } from "~/api/generated.ts";
import { useApi } from "~/api/hooks.ts";
import { type Column, DataTable } from "~/parts/DataTable.tsx";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { Section } from "~/parts/Section.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import type { State } from "~/parts/states.ts";
import { Time } from "~/parts/Time.tsx";

const WORDS: Record<HealthView["health"], { state: State; word: string; order: number }> = {
  failing: { state: "discarded", word: "Failing", order: 0 },
  paused: { state: "retrying", word: "Paused", order: 1 },
  retrying: { state: "retrying", word: "Retrying", order: 2 },
  silent: { state: "pending", word: "Silent", order: 3 },
  noData: { state: "pending", word: "No data", order: 4 },
  healthy: { state: "delivered", word: "Healthy", order: 5 },
  disabled: { state: "filtered", word: "Disabled", order: 6 },
};

export default function Health() {
  const { data, error, refetch } = useApi("getConnectionHealth", {}, { every: 10_000 });
  const health = data?.health;
  const disk = health?.attention.filter((each) => each.resourceType === "INSTALLATION") ?? [];
  const row = (kind: "sources" | "destinations"): Column<HealthView>[] => [
    {
      key: "health",
      head: "Health",
      width: "104px",
      cell: (each) => <StateChip state={WORDS[each.health].state}>{WORDS[each.health].word}</StateChip>,
    },
    {
      key: "name",
      head: kind === "sources" ? "Source" : "Destination",
      width: "minmax(0, 1fr)",
      cell: (each) =>
        kind === "sources"
          ? <Link to="/sources/$sourceId/overview" params={{ sourceId: each.id }}>{each.name}</Link>
          : (
            <Link to="/destinations/$destinationId/delivery" params={{ destinationId: each.id }}>
              {each.name}
            </Link>
          ),
    },
    {
      key: "summary",
      head: "What is known",
      width: "minmax(0, 3fr)",
      wide: true,
      cell: (each) => <span className="dim" title={each.summary}>{each.summary}</span>,
    },
    {
      key: "since",
      head: "Since",
      width: "88px",
      align: "right",
      wide: true,
      cell: (each) => each.since ? <Time at={each.since} /> : null,
    },
  ];
  const sorted = <T extends HealthView>(list: T[]) =>
    list.toSorted((a, b) => WORDS[a.health].order - WORDS[b.health].order || a.name.localeCompare(b.name));
  if (health && !health.sources.length && !health.destinations.length) {
    return (
      <EmptyState icon={IconHeartbeat} title="Nothing is connected yet">
        Each source and destination is here with how it fares, by its last hour.
      </EmptyState>
    );
  }
  return (
    <>
      <ErrorNote error={error} retry={refetch} />
      {disk.map((each) => <ErrorNote key={each.summary} error={each.summary} />)}
      {health && health.destinations.length > 0 && (
        <Section title="Destinations" note="By their last hour; the ones in trouble come first.">
          <DataTable
            label="Health of destinations"
            columns={row("destinations")}
            rows={sorted(health.destinations)}
            rowKey={(each) =>
              each.id}
          />
        </Section>
      )}
      {health && health.sources.length > 0 && (
        <Section title="Sources">
          <DataTable
            label="Health of sources"
            columns={row("sources")}
            rows={sorted(health.sources)}
            rowKey={(each) => each.id}
          />
        </Section>
      )}
    </>
  );
}
