/** A few failures of one kind: event, request and answer. Open while `sample` is in the address. */
import { SegmentedControl } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { SampleView } from "~/api/generated.ts";
import { useApi } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { Copy } from "~/parts/Copy.tsx";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { JsonView } from "~/parts/JsonView.tsx";
import { SidePanel } from "~/parts/SidePanel.tsx";
import { Time } from "~/parts/Time.tsx";
import type { Window } from "~/parts/WindowPicker.tsx";
import { useGo, useParameters } from "./connections.ts";
import { type Exchange, ExchangeView } from "./Exchange.tsx";
import { eventName } from "./trace.ts";
import css from "./Samples.module.css";

export function SamplesDrawer(
  { destinationId, subscriptionId, window, title, code, outcome, onClose }: {
    destinationId: string;
    subscriptionId?: string;
    window: Window;
    title: string;
    code: string;
    outcome: "discarded" | "retried";
    onClose: () => void;
  },
) {
  const { may } = useSession();
  const allowed = may("delivery:read");
  const { data, error } = useApi("listDeliverySamplesFromDestination", {
    path: { destinationId },
    query: { ...useSteady(window), code: code || undefined, outcome, subscriptionId },
  }, { enabled: allowed });
  return (
    <SidePanel open onClose={onClose} title={title}>
      <ErrorNote error={error} />
      {!allowed && <p className="dim">To see events takes the permission delivery:read.</p>}
      {data?.samples.length === 0 && (
        <EmptyState title="No sample is kept any more">
          Of each kind of failure the newest ten are, for three days.
        </EmptyState>
      )}
      {data?.samples.map((each, at) => (
        <Sample key={`${each.messageId} ${each.time} ${each.attempt}`} sample={each} first={at === 0} />
      ))}
    </SidePanel>
  );
}

function Sample({ sample, first }: { sample: SampleView; first: boolean }) {
  const [part, setPart] = useState("requests");
  const exchanges = sample.exchanges as unknown as Exchange[];
  return (
    <details className={css.sample} open={first}>
      <summary>
        <span className={css.name}>{eventName(sample.event)}</span>
        <span className="dim">attempt {sample.attempt}</span>
        <Time at={sample.time} />
      </summary>
      <div className={css.inside}>
        <p className={css.message}>{sample.message}</p>
        <div className={css.line}>
          <Copy value={sample.messageId} label="Copy messageId" />
          <Link to="/delivery/trace" search={{ messageId: sample.messageId } as never}>Trace</Link>
        </div>
        <SegmentedControl
          size="xs"
          value={part}
          onChange={setPart}
          aria-label="Part of the sample"
          data={[
            { value: "requests", label: "Request and answer" },
            { value: "event", label: "Event" },
            { value: "payload", label: "Payload" },
            ...(sample.trace ? [{ value: "trace", label: "Function" }] : []),
          ]}
        />
        <div style={{ marginTop: 8 }}>
          {part === "event" && <JsonView value={sample.event} />}
          {part === "payload" && <JsonView value={sample.payload} />}
          {part === "trace" && <JsonView value={sample.trace} />}
          {part === "requests" &&
            (exchanges.length
              ? exchanges.map((each, at) => <ExchangeView key={at} exchange={each} />)
              : <p className="dim">No request was sent: it failed before.</p>)}
        </div>
      </div>
    </details>
  );
}

/** A window's range that stays while the drawer is open, so that the same is asked for again. */
function useSteady(window: Window) {
  return useState(window.range)[0];
}

/** Which samples are open: `sample=discarded:400` in the address. */
export function useOpenSamples() {
  const { sample } = useParameters();
  const go = useGo();
  const [outcome, ...rest] = (sample ?? "").split(":");
  return {
    open: sample ? { outcome: outcome as "discarded" | "retried", code: rest.join(":") } : undefined,
    show: (outcome: string, code: string) => go({ sample: `${outcome}:${code}` }),
    close: () => go({ sample: undefined }),
  };
}
