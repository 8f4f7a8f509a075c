/**
 * The drawer for one event: what came, its way to each destination, and request and answer of attempts.
 *
 *     const [event, setEvent] = useAddress("event", "");
 *     <EventDrawer messageId={event} onClose={() => setEvent("")} />
 *
 * Which of the three is shown stands in the address as `part`.
 */
import { Group, Tabs } from "@mantine/core";
import { IconRoute } from "@tabler/icons-react";
import { useQueries } from "@tanstack/react-query";
import { call } from "~/api/client.ts";
import type { DebuggerLine } from "~/api/generated.ts";
import { useSession } from "~/api/session.ts";
import { useAddress } from "~/parts/address.ts";
import { Copy } from "~/parts/Copy.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { JsonView } from "~/parts/JsonView.tsx";
import { LinkButton } from "~/parts/LinkButton.tsx";
import { SidePanel, type Steps } from "~/parts/SidePanel.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import { Time } from "~/parts/Time.tsx";
import { useConnections } from "./connections.ts";
import { type Exchange, ExchangeView } from "./Exchange.tsx";
import { Journey } from "./Journey.tsx";
import { useReasons, worded } from "./reasons.ts";
import { eventName, type Trace, useTrace } from "./trace.ts";

type Part = "event" | "journey" | "requests";

export function EventDrawer(
  { messageId, sourceId, at, destinationId, came, steps, onClose }: {
    /** Empty: closed, unless `came` is given. */
    messageId: string;
    sourceId?: string;
    /** About when it was received, if that is known (ISO 8601): older than a day it is not found without. */
    at?: string;
    /** Whose journey is unfolded. */
    destinationId?: string;
    /** As the front door saw it: shown at once, and all that there is of an event that it let not in. */
    came?: DebuggerLine;
    steps?: Steps;
    onClose: () => void;
  },
) {
  const { may } = useSession();
  const [part, setPart] = useAddress<Part>("part", came ? "event" : "journey");
  const entered = !!messageId && may("delivery:read") &&
    (!came || came.verdict === "accepted" || came.verdict === "duplicate");
  const wanted = () => {
    const around = at ? Date.parse(at) : undefined;
    const time = (ms: number) => new Date(ms).toISOString();
    // Of a duplicate it is the first that went on, up to a day before.
    const exact = around !== undefined && came?.verdict !== "duplicate";
    return {
      messageId,
      sourceId,
      ...(exact ? { startTime: time(around - 60_000), endTime: time(around + 120_000) } : {}),
    };
  };
  const traced = entered && (!came || part !== "event");
  const { data, error, isPending, refetch } = useTrace(["one", messageId, sourceId, at], wanted, traced);
  const trace = traced ? data?.traces[0] : undefined;
  const event = came?.payload ?? trace?.event;
  const { sourceName } = useConnections();
  const journey = !traced || error
    ? null
    : isPending
    ? <p className="dim">Looking through the log…</p>
    : !trace && <NotFound />;
  return (
    <SidePanel
      open={!!messageId || !!came}
      onClose={onClose}
      steps={steps}
      title={event && typeof event === "object" ? eventName(event as Record<string, unknown>) : "Event"}
    >
      <ErrorNote error={traced && error} retry={refetch} />
      {came && <Verdict of={came} />}
      <Group gap={12} mb={12}>
        {messageId && <Copy value={messageId} label="Copy messageId" />}
        {came && entered && (
          <LinkButton
            to="/delivery/trace"
            search={{ messageId } as never}
            variant="subtle"
            size="compact-sm"
            leftSection={<IconRoute size={16} />}
          >
            Open its trace
          </LinkButton>
        )}
      </Group>
      {!came && trace && (
        <p className="dim" style={{ margin: "0 0 12px" }}>
          received <Time at={trace.receivedAt} /> from {sourceName(trace.sourceId)}
        </p>
      )}
      {entered && (came || trace)
        ? (
          <Tabs value={part} onChange={(value) => setPart((value ?? "journey") as Part)} keepMounted={false}>
            <Tabs.List mb={12}>
              <Tabs.Tab value="event">Event</Tabs.Tab>
              <Tabs.Tab value="journey">Journey</Tabs.Tab>
              <Tabs.Tab value="requests">Request and answer</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="event">
              <Payload value={event} />
            </Tabs.Panel>
            <Tabs.Panel value="journey">
              {trace ? <Journey destinations={trace.destinations} open={destinationId} /> : journey}
            </Tabs.Panel>
            <Tabs.Panel value="requests">{trace ? <Requests trace={trace} /> : journey}</Tabs.Panel>
          </Tabs>
        )
        : came
        ? <Payload value={event} />
        : journey}
    </SidePanel>
  );
}

/** What could not be read as JSON is a text. */
function Payload({ value }: { value: unknown }) {
  return typeof value === "string"
    ? <pre style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>{value}</pre>
    : <JsonView value={value} />;
}

/** What the front door said of it, and of what it did not let in why. */
function Verdict({ of: { verdict, code, receivedAt } }: { of: DebuggerLine }) {
  const reasons = useReasons();
  const reason = code ? reasons(verdict === "filtered" ? "source" : "ingest", code) : undefined;
  const words = {
    accepted: "Accepted",
    duplicate: "Duplicate: the journey is that of the first",
    filtered: `Blocked: ${reason?.title ?? ""}`,
    discarded: `Discarded: ${reason?.title ?? ""}`,
  };
  const state = verdict === "accepted" ? "delivered" : verdict === "discarded" ? "discarded" : "filtered";
  return (
    <>
      <Group gap={12} mb={8}>
        <StateChip state={state}>{words[verdict]}</StateChip>
        <span className="dim">
          received <Time at={receivedAt} />
        </span>
      </Group>
      {reason && <p style={{ margin: "0 0 8px" }}>{reason.explanation} {reason.remedy}</p>}
    </>
  );
}

function NotFound() {
  return (
    <p className="dim">
      No accepted event has this messageId. It may be older than the log is kept, it may have been discarded
      or blocked on arrival (the source's debugger tells), or it lies further back than a day: look for it
      with its time, under Delivery → Trace.
    </p>
  );
}

/** Kept of the first failures of each kind; what is delivered at once leaves none. */
function Requests({ trace }: { trace: Trace }) {
  const failed = trace.destinations.filter((to) =>
    to.deliveries.some((each) => each.attempts.length > 0 || each.discardId)
  );
  const startTime = new Date(Date.parse(trace.receivedAt) - 600_000).toISOString();
  const found = useQueries({
    queries: failed.map((to) => ({
      queryKey: ["listDeliverySamplesFromDestination", to.destinationId, trace.messageId],
      queryFn: () =>
        call("listDeliverySamplesFromDestination", {
          path: { destinationId: to.destinationId },
          query: { startTime },
        }),
    })),
  });
  const samples = found.flatMap(({ data }, index) =>
    (data?.samples ?? []).filter((each) => each.messageId === trace.messageId)
      .map((sample) => ({ sample, to: failed[index]! }))
  ).toSorted((a, b) => a.sample.time.localeCompare(b.sample.time));
  const error = found.find((each) => each.error)?.error;
  if (error) return <ErrorNote error={error} />;
  if (found.some((each) => each.isPending)) return <p className="dim">Looking…</p>;
  return (
    <>
      {samples.map(({ sample, to }) => (
        <div key={`${to.destinationId} ${sample.time} ${sample.attempt}`} style={{ marginBottom: 16 }}>
          <div style={{ display: "flex", flexWrap: "wrap", gap: 8, alignItems: "center", marginBottom: 8 }}>
            <b>{to.name}</b>
            <span className="dim">attempt {sample.attempt}</span>
            <StateChip state={sample.outcome === "retried" ? "retrying" : "discarded"}>
              {worded(sample.code)}
            </StateChip>
            <Time at={sample.time} />
          </div>
          {(sample.exchanges as unknown as Exchange[]).map((each, at) => (
            <ExchangeView key={at} exchange={each} />
          ))}
        </div>
      ))}
      <p className="dim">
        {samples.length
          ? "Secrets are masked before anything is kept."
          : failed.length
          ? "Of this event none is kept. The first three failures of each kind are, then one every ten seconds."
          : "Nothing failed. Requests that succeed are not kept: the payload under Journey is what was sent."}
      </p>
    </>
  );
}
