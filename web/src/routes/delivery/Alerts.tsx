/** Rules that watch deliveries and say so when they are broken, and what was said lately. */
import { Button } from "@mantine/core";
import { IconBell, IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { AlertForm } from "~/alerts/AlertForm.tsx";
import { CHANNELS, ruleOf, TYPES } from "~/alerts/words.ts";
import { call } from "~/api/client.ts";
import type { AlertView } from "~/api/generated.ts";
import { useAll } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { useConnections } from "~/delivery/connections.ts";
import { useAddress } from "~/parts/address.ts";
import { type Column, DataTable } from "~/parts/DataTable.tsx";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { Section } from "~/parts/Section.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import { Time } from "~/parts/Time.tsx";

const NEW = "new";

export default function Alerts() {
  const { may } = useSession();
  const write = may("workspace:write");
  const [opened, setOpened] = useAddress("alert", "");
  const alerts = useAll("listAlerts", {}, { enabled: write, every: 10_000 });
  const { sourceName, destinationName } = useConnections();
  const open = alerts.items?.find((each) => each.id === opened);
  const add = write && (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setOpened(NEW)}>New alert</Button>
  );
  const about = (each: AlertView) =>
    each.destinationId
      ? destinationName(each.destinationId)
      : each.sourceId
      ? sourceName(each.sourceId)
      : ["FUNCTION_QUOTA", "DISK_FREE"].includes(each.type)
      ? "–"
      : "any";
  const columns: Column<AlertView>[] = [
    {
      key: "state",
      head: "State",
      width: "112px",
      cell: (each) =>
        !each.enabled
          ? <StateChip state="filtered">Disabled</StateChip>
          : each.triggered.length
          ? <StateChip state="discarded">Triggered</StateChip>
          : <StateChip state="delivered">Fine</StateChip>,
    },
    { key: "name", head: "Alert", cell: (each) => <span style={{ fontWeight: 500 }}>{each.name}</span> },
    {
      key: "rule",
      head: "When",
      width: "minmax(0, 2fr)",
      wide: true,
      cell: (each) => `${TYPES[each.type].title}: ${ruleOf(each)}`,
    },
    { key: "about", head: "Of", wide: true, cell: about },
    {
      key: "channels",
      head: "Said",
      wide: true,
      cell: (each) => [...new Set(each.channels.map((one) => CHANNELS[one.type].label))].join(", "),
    },
  ];
  return (
    <>
      <ErrorNote error={alerts.error} retry={alerts.refetch} />
      {alerts.items?.length === 0 && (
        <EmptyState icon={IconBell} title="Hear of trouble before others do" action={add}>
          An alert watches a rate, a volume, a source that falls silent, a backlog or the disk, and tells by
          mail, Slack, webhook or here, once when it begins and once when it is over.
        </EmptyState>
      )}
      {alerts.items && alerts.items.length > 0 && (
        <Section title="Alerts" actions={add}>
          <DataTable
            label="Alerts"
            columns={columns}
            rows={alerts.items}
            rowKey={(each) => each.id}
            open={opened}
            onOpen={(each) => setOpened(each.id)}
          />
        </Section>
      )}
      <Notifications quiet={alerts.items?.length === 0} />
      {write && (opened === NEW || open) && (
        <AlertForm
          key={opened}
          alert={open}
          onClose={() => setOpened("")}
        />
      )}
    </>
  );
}

function Notifications({ quiet }: { quiet: boolean }) {
  const list = useInfiniteQuery({
    queryKey: ["listNotifications"],
    queryFn: ({ pageParam }) =>
      call("listNotifications", { query: { pagination: { count: 50, cursor: pageParam } } }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.pagination.next ?? undefined,
    refetchInterval: 10_000,
  });
  const said = list.data?.pages.flatMap((each) => each.notifications);
  if (quiet && !said?.length) return <ErrorNote error={list.error} />;
  return (
    <Section title="What was said">
      <ErrorNote error={list.error} retry={list.refetch} />
      {said?.length === 0 && <p className="dim" style={{ margin: 0 }}>Nothing in the last 31 days.</p>}
      {said && said.length > 0 && (
        <ul className="panel" style={{ listStyle: "none", margin: 0, padding: 0 }} aria-label="Notifications">
          {said.map((each, at) => (
            <li
              key={each.id}
              style={{
                display: "flex",
                flexWrap: "wrap",
                gap: "4px 12px",
                padding: "8px 16px",
                borderTop: at ? "1px solid var(--line)" : undefined,
              }}
            >
              {each.status === "TRIGGERED"
                ? <StateChip state="discarded">Triggered</StateChip>
                : <StateChip state="delivered">Over</StateChip>}
              <b>{each.name}</b>
              <span style={{ flex: "1 1 240px" }}>{each.summary}</span>
              <span className="dim">
                <Time at={each.time} />
              </span>
            </li>
          ))}
        </ul>
      )}
      {list.hasNextPage && (
        <Button
          variant="default"
          mt={8}
          onClick={() => list.fetchNextPage()}
          loading={list.isFetchingNextPage}
        >
          Show older
        </Button>
      )}
    </Section>
  );
}
