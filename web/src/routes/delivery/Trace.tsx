/**
 * What became of an event: by its messageId, or of a person's events within a window. Everything asked stands
 * in the address, and the answer follows from it.
 */
import { Button, SegmentedControl, TextInput, VisuallyHidden } from "@mantine/core";
import { IconFileSearch, IconSearch } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useAll } from "~/api/hooks.ts";
import { useConnections, useGo, useParameters } from "~/delivery/connections.ts";
import { EventDrawer } from "~/delivery/EventDrawer.tsx";
import { Journey } from "~/delivery/Journey.tsx";
import {
  eventName,
  eventWho,
  type Fate,
  FATES,
  type Searched,
  stateOf,
  type Trace as Traced,
  useTrace,
} from "~/delivery/trace.ts";
import { Copy } from "~/parts/Copy.tsx";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { absolute, count } from "~/parts/format.ts";
import { JsonView } from "~/parts/JsonView.tsx";
import { stepThrough } from "~/parts/rows.ts";
import { Section } from "~/parts/Section.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import { Time } from "~/parts/Time.tsx";
import { useWindow, WindowPicker } from "~/parts/WindowPicker.tsx";
import { typeIcon } from "../sources/events.ts";
import css from "./Trace.module.css";

/** Destinations that have a chip each; more are counted. */
const CHIPS = 5;

export default function Trace() {
  const { messageId, userId, event = "", window: chosen } = useParameters();
  const go = useGo();
  const window = useWindow();
  const by = userId !== undefined ? "user" : "message";
  const asked = (by === "user" ? userId : messageId) ?? "";
  const [text, setText] = useState(asked);
  const [before, setBefore] = useState(asked);
  if (before !== asked) {
    setBefore(asked);
    setText(asked);
  }
  const wanted = () =>
    by === "user"
      ? { userId: asked, ...window.range() }
      : { messageId: asked, ...(chosen ? window.range() : {}) };
  const { data, error, isFetching, refetch } = useTrace([by, asked, chosen], wanted, !!asked);
  const submit = (submitted: FormEvent) => {
    submitted.preventDefault();
    const value = text.trim();
    if (value === asked) void refetch();
    go(by === "user" ? { userId: value } : { messageId: value });
  };
  return (
    <>
      <form className={css.ask} onSubmit={submit}>
        <SegmentedControl
          aria-label="Look for"
          value={by}
          onChange={(value) =>
            go(
              value === "user"
                ? { userId: text, messageId: undefined }
                : { messageId: text, userId: undefined },
            )}
          data={[{ value: "message", label: "messageId" }, { value: "user", label: "User" }]}
        />
        <TextInput
          className={css.text}
          aria-label={by === "user" ? "userId or anonymousId" : "messageId"}
          placeholder={by === "user" ? "userId or anonymousId" : "messageId"}
          leftSection={<IconSearch size={16} />}
          value={text}
          onChange={(changed) => setText(changed.currentTarget.value)}
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: 12.5 } }}
          autoFocus={!asked}
        />
        {(by === "user" || chosen || data?.traces.length === 0) && <WindowPicker />}
        {/* Never disabled: Enter would do nothing while a search is under way. */}
        <Button type="submit" aria-busy={isFetching && !data}>Trace</Button>
      </form>
      <ErrorNote error={error} retry={refetch} />
      {!asked && <Teach />}
      {asked && data?.traces.length === 0 && (
        <EmptyState icon={IconFileSearch} title="No accepted event was found">
          {by === "user"
            ? `${asked} sent nothing in this window, as far as the log is kept.`
            : "It may have been received longer ago than a day: choose a window. What was discarded, blocked or a duplicate on arrival is in its source's debugger."}
          <More searched={data.searched} />
        </EmptyState>
      )}
      {by === "message" && data?.traces.map((each) => <Whole key={each.sourceId} trace={each} />)}
      {by === "user" && data && data.traces.length > 0 && (
        <>
          <div
            className="panel"
            role="list"
            aria-label="Events found"
            style={{ overflow: "hidden" }}
            onKeyDown={stepThrough}
          >
            {data.traces.map((each) => (
              <div key={`${each.sourceId} ${each.messageId}`} role="listitem">
                <Row
                  trace={each}
                  open={each.messageId === event}
                  onOpen={() => go({ event: each.messageId })}
                />
              </div>
            ))}
          </div>
          <More searched={data.searched} />
          <EventDrawer
            messageId={event}
            at={data.traces.find((each) => each.messageId === event)?.receivedAt}
            onClose={() => go({ event: undefined, part: undefined })}
          />
        </>
      )}
    </>
  );
}

/** One event on the page itself. */
function Whole({ trace }: { trace: Traced }) {
  const { sourceName } = useConnections();
  return (
    <div className={css.whole}>
      <div>
        <Section title={eventName(trace.event)}>
          <p className="dim" style={{ margin: "-4px 0 12px" }}>
            {eventWho(trace.event)} · received <Time at={trace.receivedAt} /> from{" "}
            {sourceName(trace.sourceId)}
          </p>
          <Journey destinations={trace.destinations} />
        </Section>
      </div>
      <div>
        <Section title="Event">
          <p style={{ margin: "-4px 0 12px" }}>
            <Copy value={trace.messageId} label="Copy messageId" />
          </p>
          <div className="panel" style={{ padding: 12 }}>
            <JsonView value={trace.event} />
          </div>
        </Section>
        <Requests messageId={trace.messageId} at={trace.receivedAt} />
      </div>
    </div>
  );
}

/** Request and answer of attempts are in the drawer. */
function Requests({ messageId, at }: { messageId: string; at: string }) {
  const { event = "" } = useParameters();
  const go = useGo();
  return (
    <>
      <Button variant="default" onClick={() => go({ event: messageId, part: "requests" })}>
        Request and answer of each attempt
      </Button>
      <EventDrawer messageId={event} at={at} onClose={() => go({ event: undefined, part: undefined })} />
    </>
  );
}

function Row({ trace, open, onOpen }: { trace: Traced; open: boolean; onOpen: () => void }) {
  const Icon = typeIcon(String(trace.event.type));
  return (
    <button type="button" className={css.row} onClick={onOpen} data-row data-open={open || undefined}>
      <time className="num dim" dateTime={trace.receivedAt}>
        {absolute(Date.parse(trace.receivedAt)).split(", ")[1]}
      </time>
      <span className={css.name}>
        <Icon size={16} stroke={1.75} aria-hidden />
        <span className="cut">{eventName(trace.event)}</span>
      </span>
      <span className={css.chips}>
        {trace.destinations.length > CHIPS
          ? counted(trace).map(([fate, number]) => (
            <StateChip key={fate} state={stateOf(fate)}>{number} {FATES[fate].toLowerCase()}</StateChip>
          ))
          : trace.destinations.map((to) => (
            <StateChip
              key={to.destinationId}
              state={stateOf(to.status)}
              title={`${FATES[to.status]}: ${to.summary}`}
            >
              {to.name}
              <VisuallyHidden>: {FATES[to.status].toLowerCase()}</VisuallyHidden>
            </StateChip>
          ))}
      </span>
    </button>
  );
}

function counted(trace: Traced): [Fate, number][] {
  const found = new Map<Fate, number>();
  for (const { status } of trace.destinations) found.set(status, (found.get(status) ?? 0) + 1);
  return [...found];
}

/** The search reads a part of the log at a time. */
function More({ searched }: { searched: Searched | null }) {
  const go = useGo();
  if (!searched) return null;
  return (
    <p className="dim small" style={{ margin: "8px 0" }}>
      {count(searched.records)} requests were looked through, from{" "}
      {absolute(Date.parse(searched.startTime)).slice(0, -4)} to{" "}
      {absolute(Date.parse(searched.nextTime ?? searched.endTime)).slice(0, -4)}.{" "}
      {!searched.complete && searched.nextTime && (
        <Button
          variant="default"
          size="compact-sm"
          onClick={() => go({ window: `${searched.nextTime}~${searched.endTime}` })}
        >
          Go on from there
        </Button>
      )}
    </p>
  );
}

/** Something to look for, at once. */
function Teach() {
  const go = useGo();
  const sources = useAll("listSources", {});
  const first = sources.items?.[0];
  return (
    <EmptyState
      icon={IconFileSearch}
      title="What became of an event?"
      action={first && (
        <Button variant="default" onClick={() => go({ userId: "", messageId: undefined })}>
          Look for a person instead
        </Button>
      )}
    >
      Give its messageId, as SDKs make one for every event and the debugger shows it. You see which filters,
      triggers and mappings it met at each destination, each attempt with its answer, or where it waits and
      until when.
    </EmptyState>
  );
}
