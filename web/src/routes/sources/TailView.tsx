/**
 * The latest events of a source, live. Pausing keeps what is seen; so do an open event, and reading further
 * down, where new events wait until one comes back up.
 */
import { Button, Group, SegmentedControl, TextInput } from "@mantine/core";
import { IconPlayerPause, IconPlayerPlay, IconSearch } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import type { SourceView } from "~/api/generated.ts";
import { EventDrawer } from "~/delivery/EventDrawer.tsx";
import { useAddress } from "~/parts/address.ts";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { count, rate } from "~/parts/format.ts";
import { stepThrough } from "~/parts/rows.ts";
import { SidePanel } from "~/parts/SidePanel.tsx";
import { useFlow } from "../home/flow.ts";
import { EventLine } from "./EventLine.tsx";
import { textOf } from "./events.ts";
import { SnippetTabs } from "./SnippetTabs.tsx";
import { useTail } from "./tail.ts";

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
  const { lines, waiting, skipped, error, empty } = useTail(sourceId, paused || away || !!opened);
  const flow = useFlow().ofSource(sourceId);
  const wanted = search.trim().toLowerCase();
  const found = lines.filter(({ event }) =>
    (!verdict || event.verdict === verdict) && (!wanted || textOf(event).includes(wanted))
  );
  const open = lines.find(({ key }) => key === opened);
  const list = useRef<HTMLDivElement>(null);
  const at = found.findIndex(({ key }) => key === opened);
  const step = (to: number) =>
    at >= 0 && found[to] && to < SHOWN ? () => setOpened(found[to]!.key) : undefined;
  const close = () => {
    list.current?.querySelector<HTMLElement>("[data-open]")?.focus();
    setOpened("");
  };
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
          title={skipped ? "More come than one can read: of each second the newest are shown." : undefined}
        >
          {rate(flow.rate)}
          {skipped > 0 && `, ${count(skipped)} of the last second's not shown`}
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
        <div
          ref={list}
          className="panel"
          style={{ overflow: "hidden" }}
          role="list"
          aria-label="Latest events"
          onKeyDown={stepThrough}
        >
          {found.slice(0, SHOWN).map(({ key, event }) => (
            <div key={key} role="listitem">
              <EventLine event={event} line={key} open={key === opened} onOpen={setOpened} />
            </div>
          ))}
        </div>
      )}
      {found.length > SHOWN && (
        <p className="dim small">
          The latest {SHOWN} of {count(found.length)} are shown; find narrows them down.
        </p>
      )}
      {open
        ? (
          <EventDrawer
            messageId={open.event.messageId ?? ""}
            sourceId={sourceId}
            at={open.event.receivedAt}
            came={open.event}
            steps={{ up: step(at - 1), down: step(at + 1) }}
            onClose={close}
          />
        )
        : (
          <SidePanel open={!!opened} onClose={close} title="Event">
            <p className="dim">This event is no longer among the latest that the debugger keeps.</p>
          </SidePanel>
        )}
    </>
  );
}
