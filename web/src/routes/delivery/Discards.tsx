/** What was given up on: with payload and reason; one or all of a reason can be sent again. */
import { Select, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconArchive, IconCircleCheck, IconSearch } from "@tabler/icons-react";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { call } from "~/api/client.ts";
import type { ConnectedDestination, DiscardView } from "~/api/generated.ts";
import { useApi } from "~/api/hooks.ts";
import { useConnections, useGo, useParameters } from "~/delivery/connections.ts";
import { useEventDelivery } from "~/delivery/EventDelivery.tsx";
import { useReasons, worded } from "~/delivery/reasons.ts";
import { Redrive } from "~/delivery/Redrive.tsx";
import { Copy } from "~/parts/Copy.tsx";
import { type Column, DataTable } from "~/parts/DataTable.tsx";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { count } from "~/parts/format.ts";
import { JsonView } from "~/parts/JsonView.tsx";
import { Monogram } from "~/parts/Monogram.tsx";
import { Section } from "~/parts/Section.tsx";
import { SidePanel } from "~/parts/SidePanel.tsx";
import { StateChip, StateIcon } from "~/parts/StateChip.tsx";
import { Time } from "~/parts/Time.tsx";
import { windowOf } from "~/parts/WindowPicker.tsx";

const PAGE = 100;
/** As long as counters are kept, to name the codes. */
const ALL = windowOf("30d");

export default function Discards() {
  const { destination } = useParameters();
  const { destinations, sources, error, refetch } = useConnections();
  const go = useGo();
  const chosen = destinations.find((each) => each.id === destination);
  if (error) return <ErrorNote error={error} retry={refetch} />;
  if (!sources) return null;
  if (destination) {
    return (
      <Of
        key={destination}
        destinationId={destination}
        name={chosen?.name || chosen?.kindName || destination}
      />
    );
  }
  const some = destinations.filter((each) => each.delivery.discarded > 0);
  if (!some.length) {
    return (
      <EmptyState icon={IconCircleCheck} title="Nothing was given up on">
        An event that a destination refuses, or does not take within its retries, is kept here with its
        payload and the reason, so that you can mend the cause and send it again.
      </EmptyState>
    );
  }
  const columns: Column<ConnectedDestination>[] = [
    {
      key: "name",
      head: "Destination",
      cell: (each) => (
        <span style={{ display: "flex", alignItems: "center", gap: 8 }}>
          <Monogram name={each.kindName} /> <span className="cut">{each.name || each.kindName}</span>
        </span>
      ),
    },
    {
      key: "lately",
      head: "In the last hour",
      width: "112px",
      align: "right",
      wide: true,
      cell: (each) => each.discardedLately ? count(each.discardedLately) : "–",
    },
    {
      key: "all",
      head: "Given up on",
      width: "112px",
      align: "right",
      cell: (each) => (
        <>
          <StateIcon state="discarded" label="" /> {count(each.delivery.discarded)}
        </>
      ),
    },
  ];
  return (
    <Section title="Destinations that gave events up">
      <DataTable
        label="Destinations with discards"
        columns={columns}
        rows={some.toSorted((a, b) => b.delivery.discarded - a.delivery.discarded)}
        rowKey={(each) => each.id}
        onOpen={(each) => go({ destination: each.id })}
      />
    </Section>
  );
}

function Of({ destinationId, name }: { destinationId: string; name: string }) {
  const { code = "", find = "", discard = "" } = useParameters();
  const go = useGo();
  const [text, setText] = useState(find);
  const [messageId] = useDebouncedValue(text.trim(), 300);
  const reasons = useReasons();
  const { destinations } = useConnections();
  const summary = useEventDelivery(destinationId, ALL);
  const codes = (summary.data?.errors ?? []).filter((each) => each.outcome === "discarded");
  const list = useInfiniteQuery({
    queryKey: ["listDestinationDiscards", destinationId, code, messageId],
    queryFn: ({ pageParam }) =>
      call("listDestinationDiscards", {
        path: { destinationId },
        query: {
          code: code || undefined,
          messageId: messageId || undefined,
          pagination: { count: PAGE, cursor: pageParam },
        },
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.pagination.next ?? undefined,
    refetchInterval: 10_000,
  });
  const rows = list.data?.pages.flatMap((each) => each.discards);
  const open = rows?.find((each) => each.id === discard);
  const title = (each: string) => reasons("delivery", each).title || worded(each);
  const columns: Column<DiscardView>[] = [
    { key: "at", head: "When", width: "88px", cell: (each) => <Time at={each.discardedAt} /> },
    {
      key: "event",
      head: "Event",
      width: "minmax(0, 2fr)",
      cell: (each) => <span style={{ fontWeight: 500 }}>{each.eventName || each.eventType}</span>,
    },
    {
      key: "code",
      head: "Reason",
      width: "minmax(0, 2fr)",
      cell: (each) => <span title={each.code}>{title(each.code)}</span>,
    },
    {
      key: "message",
      head: "What was answered",
      width: "minmax(0, 3fr)",
      wide: true,
      cell: (each) => <span className="dim" title={each.message}>{each.message}</span>,
    },
    {
      key: "attempts",
      head: "Attempts",
      width: "72px",
      align: "right",
      wide: true,
      cell: (each) => count(each.attempts),
    },
  ];
  return (
    <>
      <div style={{ display: "flex", flexWrap: "wrap", gap: 8, marginBottom: 12, alignItems: "center" }}>
        <Select
          aria-label="Destination"
          searchable={destinations.length > 8}
          value={destinationId}
          onChange={(value) => go({ destination: value ?? undefined, code: undefined, discard: undefined })}
          data={destinations.map((each) => ({ value: each.id, label: each.name || each.kindName }))}
        />
        <Select
          aria-label="Reason"
          value={code}
          onChange={(value) => go({ code: value || undefined, discard: undefined })}
          data={[
            { value: "", label: "All reasons" },
            ...codes.map((each) => ({ value: each.code, label: each.title })),
            ...(code && !codes.some((each) => each.code === code)
              ? [{ value: code, label: title(code) }]
              : []),
          ]}
        />
        <TextInput
          aria-label="Find a messageId"
          placeholder="messageId"
          leftSection={<IconSearch size={16} />}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            go({ find: event.currentTarget.value || undefined });
          }}
          style={{ flex: "1 1 160px", maxWidth: 280 }}
        />
        <span style={{ flex: 1 }} />
        {rows && rows.length > 0 && !messageId && (
          <Redrive
            destinationId={destinationId}
            name={name}
            code={code || undefined}
            label={code ? `Re-drive all of this reason` : "Re-drive all"}
          />
        )}
      </div>
      <ErrorNote error={list.error} retry={list.refetch} />
      {rows?.length === 0 && (
        <EmptyState
          icon={IconArchive}
          title={code || messageId ? "No discard matches" : "Nothing is kept as given up on"}
        >
          {code || messageId
            ? "What was sent again, and what is older than discards are kept, is no longer here."
            : "What this destination refuses, or does not take within its retries, is kept here."}
        </EmptyState>
      )}
      {rows && rows.length > 0 && (
        <DataTable
          label="Discards"
          columns={columns}
          rows={rows}
          rowKey={(each) => each.id}
          open={discard}
          onOpen={(each) => go({ discard: each.id })}
          onEnd={() => list.hasNextPage && !list.isFetchingNextPage && list.fetchNextPage()}
        />
      )}
      <Redrives destinationId={destinationId} />
      <SidePanel
        open={!!discard}
        onClose={() => go({ discard: undefined })}
        title={open ? open.eventName || open.eventType : "Discard"}
      >
        {open
          ? (
            <Opened
              discard={open}
              destinationId={destinationId}
              name={name}
              onDone={() => go({ discard: undefined })}
            />
          )
          : rows && (
            <p className="dim">
              It is not among those listed: it was sent again, or another reason is chosen.
            </p>
          )}
      </SidePanel>
    </>
  );
}

/** What was asked to be sent again, as long as it is under way, and the last few that are done. */
function Redrives({ destinationId }: { destinationId: string }) {
  const queries = useQueryClient();
  const { data } = useApi("listDestinationRedrives", { path: { destinationId } }, { every: 1000 });
  const done = data?.redrives.reduce((sum, each) => sum + each.sentAgain, 0);
  useEffect(() => void queries.invalidateQueries({ queryKey: ["listDestinationDiscards"] }), [done, queries]);
  const reasons = useReasons();
  const shown = data?.redrives.slice(0, 5) ?? [];
  if (!shown.length) return null;
  return (
    <div style={{ marginTop: 24 }}>
      <Section title="Sent again">
        <ul className="panel" style={{ listStyle: "none", margin: 0, padding: 0 }}>
          {shown.map((each) => (
            <li
              key={each.id}
              style={{ display: "flex", flexWrap: "wrap", gap: "4px 12px", padding: "8px 16px" }}
            >
              {each.status === "DONE"
                ? <StateChip state="delivered">{count(each.sentAgain)} sent again</StateChip>
                : <StateChip state="pending">{count(each.sentAgain)} so far</StateChip>}
              <span>
                {each.discardId
                  ? "one event"
                  : each.code
                  ? `all with ${reasons("delivery", each.code).title}`
                  : "all"}
                <span className="dim">{each.mapping === "ANEW" ? ", made anew" : ", as it was"}</span>
              </span>
              <span className="dim" style={{ marginLeft: "auto" }}>
                asked <Time at={each.askedAt} />
              </span>
            </li>
          ))}
        </ul>
      </Section>
    </div>
  );
}

function Opened(
  { discard, destinationId, name, onDone }: {
    discard: DiscardView;
    destinationId: string;
    name: string;
    onDone: () => void;
  },
) {
  const { title, explanation, remedy } = useReasons()("delivery", discard.code);
  return (
    <>
      <div style={{ display: "flex", gap: 8, alignItems: "flex-start" }}>
        <StateIcon state="discarded" label="Discarded" />
        <div>
          <b>{title}</b> <code className="dim">{discard.code}</code>
          <div style={{ overflowWrap: "anywhere" }}>{discard.message}</div>
          <p className="dim" style={{ margin: "4px 0" }}>{explanation} {remedy}</p>
        </div>
      </div>
      <p className="dim" style={{ margin: "4px 0" }}>
        Given up on <Time at={discard.discardedAt} /> after{" "}
        {discard.attempts === 1 ? "1 attempt" : `${count(discard.attempts)} attempts`}
      </p>
      <Copy value={discard.messageId} label="Copy messageId" />
      <div
        style={{ display: "flex", flexWrap: "wrap", gap: 12, alignItems: "center", margin: "12px 0 16px" }}
      >
        <Redrive
          destinationId={destinationId}
          name={name}
          discardId={discard.id}
          label="Send again"
          onDone={onDone}
        />
        <Link to="/delivery/trace" search={{ messageId: discard.messageId } as never}>Trace</Link>
        {discard.subscriptionId && (
          <Link
            to="/destinations/$destinationId/mappings/$subscriptionId"
            params={{ destinationId, subscriptionId: discard.subscriptionId }}
          >
            Open its mapping
          </Link>
        )}
      </div>
      <Section title="Payload">
        {Object.keys(discard.payload).length
          ? <JsonView value={discard.payload} />
          : <p className="dim">The mapping could not make one.</p>}
      </Section>
      <Section title="Event">
        <JsonView value={discard.event} />
      </Section>
    </>
  );
}
