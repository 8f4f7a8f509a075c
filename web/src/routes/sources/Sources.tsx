/** All sources. */
import { TextInput } from "@mantine/core";
import { IconPlugConnected, IconPlus, IconSearch } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { LinkButton } from "~/parts/LinkButton.tsx";
import type { SourceView } from "~/api/generated.ts";
import { useAll } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { useAddress } from "~/parts/address.ts";
import { type Column, DataTable } from "~/parts/DataTable.tsx";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { rate } from "~/parts/format.ts";
import { Monogram } from "~/parts/Monogram.tsx";
import { PageHead } from "~/parts/PageHead.tsx";
import { Sparkline } from "~/parts/Sparkline.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import { useFlow } from "../home/flow.ts";

export default function Sources() {
  const { may } = useSession();
  const navigate = useNavigate();
  const [search, setSearch] = useAddress("search", "");
  const { items, error, refetch } = useAll("listSources", {});
  const flow = useFlow();
  const wanted = search.toLowerCase();
  const shown = items?.filter((each) =>
    `${each.name} ${each.slug} ${each.metadata.name} ${each.writeKeys.join(" ")}`.toLowerCase().includes(
      wanted,
    )
  );
  const add = may("source:write") && (
    <LinkButton to="/start" leftSection={<IconPlus size={16} />}>Add source</LinkButton>
  );
  const columns: Column<SourceView>[] = [
    {
      key: "name",
      head: "Source",
      width: "minmax(0, 2fr)",
      cell: (each) => (
        <span style={{ display: "flex", alignItems: "center", gap: 12 }}>
          <Monogram name={each.metadata.name} />
          <span className="cut" style={{ fontWeight: 500 }}>{each.name || each.slug}</span>
          {!each.enabled && <StateChip state="filtered">Disabled</StateChip>}
        </span>
      ),
    },
    {
      key: "kind",
      head: "Kind",
      cell: (each) => <span className="dim">{each.metadata.name}</span>,
      wide: true,
    },
    {
      key: "to",
      head: "Destinations",
      width: "96px",
      align: "right",
      wide: true,
      cell: (each) => flow.destinationsOf(each.id).length,
    },
    {
      key: "rate",
      head: "Events",
      width: "144px",
      align: "right",
      wide: true,
      cell: (each) => {
        const { rate: now, series } = flow.ofSource(each.id);
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
      <PageHead title="Sources" actions={items?.length ? add : undefined} />
      <ErrorNote error={error} retry={refetch} />
      {items?.length === 0 && (
        <EmptyState icon={IconPlugConnected} title="No sources yet" action={add}>
          A source is where events come from: a website, an app or a server with any Segment SDK. Each has a
          write key of its own.
        </EmptyState>
      )}
      {items && items.length > 0 && (
        <>
          <TextInput
            placeholder="Find by name, slug or write key"
            aria-label="Find sources"
            leftSection={<IconSearch size={16} />}
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
            maw={320}
            mb={12}
          />
          {shown!.length
            ? (
              <DataTable
                label="Sources"
                columns={columns}
                rows={shown!}
                rowKey={(each) => each.id}
                onOpen={(each) => navigate({ to: `/sources/${each.id}` })}
              />
            )
            : <EmptyState title={`No source matches "${search}"`} />}
        </>
      )}
    </>
  );
}
