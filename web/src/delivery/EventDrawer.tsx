/**
 * The drawer for one event: what came, its way to each destination, and request and answer of attempts.
 *
 *     const [event, setEvent] = useAddress("event", "");
 *     <EventDrawer messageId={event} onClose={() => setEvent("")} />
 *
 * Which of the three is shown stands in the address as `part`.
 */
import { Tabs } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { call } from "~/api/client.ts";
import { useAddress } from "~/parts/address.ts";
import { Copy } from "~/parts/Copy.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { JsonView } from "~/parts/JsonView.tsx";
import { SidePanel } from "~/parts/SidePanel.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import { Time } from "~/parts/Time.tsx";
import { useConnections } from "./connections.ts";
import { type Exchange, ExchangeView } from "./Exchange.tsx";
import { Journey } from "./Journey.tsx";
import { worded } from "./reasons.ts";
import { eventName, type Trace, useTrace } from "./trace.ts";

type Part = "event" | "journey" | "requests";

export function EventDrawer(
  { messageId, sourceId, at, destinationId, onClose }: {
    /** Empty: closed. */
    messageId: string;
    sourceId?: string;
    /** About when it was received, if that is known (ISO 8601): older than a day it is not found without. */
    at?: string;
    /** Whose journey is unfolded. */
    destinationId?: string;
    onClose: () => void;
  },
) {
  const [part, setPart] = useAddress<Part>("part", "journey");
  const wanted = () => {
    const around = at ? Date.parse(at) : undefined;
    const time = (ms: number) => new Date(ms).toISOString();
    return {
      messageId,
      sourceId,
      ...(around ? { startTime: time(around - 60_000), endTime: time(around + 120_000) } : {}),
    };
  };
  const { data, error, isPending, refetch } = useTrace(["one", messageId, sourceId, at], wanted, !!messageId);
  const trace = data?.traces[0];
  const { sourceName } = useConnections();
  return (
    <SidePanel open={!!messageId} onClose={onClose} title={trace ? eventName(trace.event) : "Event"}>
      <ErrorNote error={error} retry={refetch} />
      {messageId && <Copy value={messageId} label="Copy messageId" />}
      {isPending && messageId && !error && <p className="dim">Looking through the log…</p>}
      {data && !trace && <NotFound />}
      {trace && (
        <>
          <p className="dim" style={{ margin: "4px 0 12px" }}>
            received <Time at={trace.receivedAt} /> from {sourceName(trace.sourceId)}
          </p>
          <Tabs value={part} onChange={(value) => setPart((value ?? "journey") as Part)} keepMounted={false}>
            <Tabs.List mb={12}>
              <Tabs.Tab value="event">Event</Tabs.Tab>
              <Tabs.Tab value="journey">Journey</Tabs.Tab>
              <Tabs.Tab value="requests">Request and answer</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="event">
              <JsonView value={trace.event} />
            </Tabs.Panel>
            <Tabs.Panel value="journey">
              <Journey destinations={trace.destinations} open={destinationId} />
            </Tabs.Panel>
            <Tabs.Panel value="requests">
              <Requests trace={trace} />
            </Tabs.Panel>
          </Tabs>
        </>
      )}
    </SidePanel>
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
