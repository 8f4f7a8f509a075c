/**
 * The latest events of a source, live. Pausing keeps what is seen; so does reading further down, where new
 * events wait until one comes back up.
 */
import { Button, Group, SegmentedControl, TextInput } from "@mantine/core";
import { IconPlayerPause, IconPlayerPlay, IconSearch } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import type { DebuggerLine, SourceView } from "~/api/generated.ts";
import { useAddress } from "~/parts/address.ts";
import { Copy } from "~/parts/Copy.tsx";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { count, rate } from "~/parts/format.ts";
import { JsonView } from "~/parts/JsonView.tsx";
import { LinkButton } from "~/parts/LinkButton.tsx";
import { SidePanel } from "~/parts/SidePanel.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import { Time } from "~/parts/Time.tsx";
import { useFlow } from "../home/flow.ts";
import { EventLine } from "./EventLine.tsx";
import { nameOf, textOf } from "./events.ts";
import { SnippetTabs } from "./SnippetTabs.tsx";
import { type Line, useTail } from "./tail.ts";

/** Lines in the page; searching looks through all that are kept. */
const SHOWN = 200;
const VERDICTS = [
  { value: "", label: "All" },
  { value: "accepted", label: "Accepted" },
  { value: "filtered", label: "Blocked" },
  { value: "duplicate", label: "Duplicates" },
  { value: "discarded", label: "Discarded" },
];

export function TailView({ sourceId, source }: { sourceId: string; source: SourceView | undefined }) {
  const [search, setSearch] = useAddress("search", "");
  const [verdict, setVerdict] = useAddress("verdict", "");
  const [opened, setOpened] = useAddress("event", "");
  const [paused, setPaused] = useState(false);
  const [away, setAway] = useState(false);
  const top = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const watch = new IntersectionObserver(([entry]) => setAway(!entry!.isIntersecting), {
      rootMargin: "-56px 0px 0px",
    });
    watch.observe(top.current!);
    return () => watch.disconnect();
  }, []);
  const { lines, waiting, skipped, error, empty } = useTail(sourceId, paused || away);
  const flow = useFlow().ofSource(sourceId);
  const wanted = search.trim().toLowerCase();
  const found = lines.filter(({ event }) =>
    (!verdict || event.verdict === verdict) && (!wanted || textOf(event).includes(wanted))
  );
  const open = lines.find(({ key }) => key === opened);
  return (
    <>
      <div ref={top} />
      <Group gap={8} mb={12}>
        <TextInput
          placeholder="Find in events"
          aria-label="Find in events"
          leftSection={<IconSearch size={16} />}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
          style={{ flex: "1 1 200px" }}
          maw={320}
        />
        <div style={{ overflowX: "auto", maxWidth: "100%" }}>
          <SegmentedControl
            aria-label="Verdict"
            value={verdict}
            onChange={setVerdict}
            data={VERDICTS}
            size="xs"
          />
        </div>
        <span style={{ flex: 1 }} />
        <span
          className="num dim"
          title={skipped ? "More come than can be shown: a part of them is" : undefined}
        >
          {rate(flow.rate)}
          {skipped > 0 && ", in part"}
        </span>
        {paused
          ? (
            <Button leftSection={<IconPlayerPlay size={16} />} onClick={() => setPaused(false)}>
              Go on{waiting > 0 ? ` (${count(waiting)} new)` : ""}
            </Button>
          )
          : (
            <Button
              variant="default"
              leftSection={<IconPlayerPause size={16} />}
              onClick={() => setPaused(true)}
            >
              Pause
            </Button>
          )}
      </Group>
      <ErrorNote error={error} />
      {away && !paused && waiting > 0 && (
        <Button
          style={{ position: "fixed", top: 60, left: "50%", transform: "translateX(-50%)", zIndex: 10 }}
          onClick={() => globalThis.scrollTo({ top: 0 })}
        >
          {count(waiting)} new
        </Button>
      )}
      {empty && source && (
        <EmptyState title="No events yet">
          <p style={{ marginTop: 0 }}>Send one, and it shows here at once.</p>
          <div style={{ textAlign: "left" }}>
            <SnippetTabs source={source} />
          </div>
        </EmptyState>
      )}
      {!empty && found.length === 0 && lines.length > 0 && (
        <EmptyState title="No event matches">
          Of the latest {count(lines.length)}. What comes from now on is looked at, too.
        </EmptyState>
      )}
      {found.length > 0 && (
        <div className="panel" style={{ overflow: "hidden" }} role="list" aria-label="Latest events">
          {found.slice(0, SHOWN).map(({ key, event }) => (
            <div key={key} role="listitem">
              <EventLine
                event={event}
                open={key === opened}
                onOpen={() => setOpened(key)}
              />
            </div>
          ))}
        </div>
      )}
      {found.length > SHOWN && (
        <p className="dim small">
          The latest {SHOWN} of {count(found.length)} are shown; find narrows them down.
        </p>
      )}
      <SidePanel open={!!opened} onClose={() => setOpened("")} title={open ? nameOf(open.event) : "Event"}>
        {open
          ? <Opened line={open} />
          : <p className="dim">This event is no longer among the latest that the debugger keeps.</p>}
      </SidePanel>
    </>
  );
}

function Opened({ line: { event } }: { line: Line }) {
  return (
    <>
      <Group gap={12} mb={16}>
        <Verdict event={event} />
        <span className="dim">
          received <Time at={event.receivedAt} />
        </span>
        {event.messageId && (
          <LinkButton to="/trace" search={{ messageId: event.messageId }} variant="subtle">
            What became of it
          </LinkButton>
        )}
      </Group>
      {event.messageId && (
        <p style={{ marginTop: 0 }}>
          <Copy value={event.messageId} label="Copy messageId" />
        </p>
      )}
      {typeof event.payload === "string"
        ? <pre style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>{event.payload}</pre>
        : <JsonView value={event.payload} />}
    </>
  );
}

function Verdict({ event }: { event: DebuggerLine }) {
  if (event.verdict === "accepted") return <StateChip state="delivered">Accepted</StateChip>;
  if (event.verdict === "duplicate") {
    return <StateChip state="filtered">Duplicate of an earlier messageId</StateChip>;
  }
  const word = event.verdict === "filtered" ? "Blocked" : "Discarded";
  return <StateChip state={event.verdict}>{word}: {event.code}</StateChip>;
}
