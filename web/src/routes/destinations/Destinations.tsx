/** All destinations, with what flows to each and how it fares. */
import { Select, Text, TextInput } from "@mantine/core";
import { IconPlus, IconSearch, IconSend } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import type { ConnectedDestination } from "~/api/generated.ts";
import { useSession } from "~/api/session.ts";
import { useAddress } from "~/parts/address.ts";
import { type Column, DataTable } from "~/parts/DataTable.tsx";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { count, rate } from "~/parts/format.ts";
import { LinkButton } from "~/parts/LinkButton.tsx";
import { Monogram } from "~/parts/Monogram.tsx";
import { PageHead } from "~/parts/PageHead.tsx";
import { Sparkline } from "~/parts/Sparkline.tsx";
import { useFlow } from "../home/flow.ts";
import { healthOf } from "../home/health.ts";
import { HealthChip } from "../home/HealthChip.tsx";

type Show = "" | "attention" | "enabled" | "disabled";

export default function Destinations() {
  const { may } = useSession();
  const navigate = useNavigate();
  const [search, setSearch] = useAddress("search", "");
  const [show, setShow] = useAddress<Show>("show", "");
  const [source, setSource] = useAddress("source", "");
  const flow = useFlow();
  const sources = new Map(flow.sources?.map((each) => [each.id, each]));
  const sourceName = (each: ConnectedDestination) =>
    sources.get(each.sourceId)?.name || sources.get(each.sourceId)?.slug || "";
  const wanted = search.trim().toLowerCase();
  const all = flow.sources && flow.destinations;
  const shown = all?.filter((each) =>
    (!wanted ||
      `${each.name} ${each.kindName} ${sourceName(each)} ${each.id}`.toLowerCase().includes(wanted)) &&
    (!source || each.sourceId === source) &&
    (!show || (show === "attention" ? !!healthOf(each).trouble : each.enabled === (show === "enabled")))
  );
  const add = may("destination:write") && (
    <LinkButton to="/destinations/add" leftSection={<IconPlus size={16} />}>Add destination</LinkButton>
  );
  const columns: Column<ConnectedDestination>[] = [
    {
      key: "name",
      head: "Destination",
      width: "minmax(0, 2fr)",
      cell: (each) => (
        <span style={{ display: "flex", alignItems: "center", gap: 12 }}>
          <Monogram name={each.kindName} />
          <span className="cut" style={{ fontWeight: 500 }}>{each.name || each.kindName}</span>
        </span>
      ),
    },
    {
      key: "kind",
      head: "Kind",
      wide: true,
      cell: (each) => <span className="dim">{each.kindName}</span>,
    },
    {
      key: "source",
      head: "Source",
      wide: true,
      cell: (each) => <span className="dim">{sourceName(each)}</span>,
    },
    {
      key: "health",
      head: "Health",
      width: "minmax(112px, 1.2fr)",
      cell: (each) => {
        const health = healthOf(each);
        return (
          <>
            <HealthChip health={health} />{" "}
            {health.note && <Text span inherit className="dim small" visibleFrom="sm">{health.note}</Text>}
          </>
        );
      },
    },
    {
      key: "rate",
      head: "Delivered",
      width: "144px",
      align: "right",
      wide: true,
      cell: (each) => {
        const { rate: now, series } = flow.ofDestination(each.id);
        return (
          <span style={{ display: "flex", alignItems: "center", justifyContent: "flex-end", gap: 12 }}>
            <Sparkline values={series} />
            <span className="num" style={{ minWidth: 56 }}>{rate(now)}</span>
          </span>
        );
      },
    },
  ];
  return (
    <>
      <PageHead
        title="Destinations"
        note={all && all.length > 0 && <span className="num dim">{count(all.length)}</span>}
        actions={all?.length ? add : undefined}
      />
      <ErrorNote error={flow.error} retry={flow.refetch} />
      {all?.length === 0 && (
        <EmptyState icon={IconSend} title="No destinations yet" action={add}>
          A destination is a tool that events are sent to: product analytics, email, ads, a webhook of your
          own. Pick one of the catalogue, connect it to a source, and switch it on.
        </EmptyState>
      )}
      {all && all.length > 0 && (
        <>
          <div style={{ display: "flex", flexWrap: "wrap", gap: 8, marginBottom: 12 }}>
            <TextInput
              placeholder="Find by name, kind or source"
              aria-label="Find destinations"
              leftSection={<IconSearch size={16} />}
              value={search}
              onChange={(event) => setSearch(event.currentTarget.value)}
              style={{ flex: "1 1 200px" }}
              maw={320}
            />
            <Select
              aria-label="Which destinations"
              w={160}
              value={show}
              onChange={(value) => setShow((value ?? "") as Show)}
              data={[
                { value: "", label: "All" },
                { value: "attention", label: "Needs attention" },
                { value: "enabled", label: "Enabled" },
                { value: "disabled", label: "Disabled" },
              ]}
            />
            <Select
              aria-label="Of which source"
              w={176}
              searchable
              value={source}
              onChange={(value) => setSource(value ?? "")}
              data={[
                { value: "", label: "All sources" },
                ...[...sources.values()].map((each) => ({ value: each.id, label: each.name || each.slug })),
              ]}
            />
          </div>
          {shown!.length
            ? (
              <DataTable
                label="Destinations"
                columns={columns}
                rows={shown!}
                rowKey={(each) => each.id}
                onOpen={(each) => navigate({ to: `/destinations/${each.id}` })}
              />
            )
            : (
              <EmptyState title="No destination matches">
                Clear the search or the filters beside it.
              </EmptyState>
            )}
        </>
      )}
    </>
  );
}
