/** Beside the editor: a real event, what the mapping makes of it, the request that would go out, and a real try. */
import { Button, Group, SegmentedControl } from "@mantine/core";
import { IconSend } from "@tabler/icons-react";
import type { Result } from "~/api/generated.ts";
import { useChange } from "~/api/hooks.ts";
import { ExchangeView } from "~/delivery/Exchange.tsx";
import { useAddress } from "~/parts/address.ts";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { JsonView } from "~/parts/JsonView.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import { EventPicker, OwnEvent } from "../destinations/EventPicker.tsx";
import type { ChosenEvent } from "../destinations/event.ts";
import { InsertRun } from "../destinations/InsertRun.tsx";
import type { Draft } from "./draft.ts";
import css from "./Mapping.module.css";
import type { Live } from "./preview.ts";

export function LivePreview({ path, draft, chosen, live, onPick, disabled }: {
  path: { destinationId: string; id: string };
  draft: Draft;
  chosen: ChosenEvent;
  live: Live;
  /** A name in the event was clicked. */
  onPick: (path: string) => void;
  disabled: boolean;
}) {
  const [shown, setShown] = useAddress<"payload" | "request">("preview", "payload");
  const test = useChange("testDestinationSubscription");
  const { result } = live;
  const send = () =>
    test.mutate({
      path,
      body: { ...chosen.given!, trigger: draft.trigger, settings: draft.settings, send: true },
    });
  const request = result?.exchanges[0]?.request;
  return (
    <section aria-label="Live preview" className={css.preview}>
      <EventPicker chosen={chosen} />
      <ErrorNote error={chosen.error} />
      {chosen.text === undefined
        ? chosen.event && (
          <div className={`panel ${css.event}`}>
            <JsonView value={chosen.event} tools={false} onPick={onPick} />
          </div>
        )
        : <OwnEvent chosen={chosen} />}
      {!disabled && (
        <>
          <Group gap={8} className={css.verdict} aria-live="polite">
            <Verdict live={live} />
            <span style={{ flex: 1 }} />
            <SegmentedControl
              size="xs"
              aria-label="What is shown"
              value={shown}
              onChange={(value) => setShown(value as "payload" | "request")}
              data={[{ value: "payload", label: "Payload" }, { value: "request", label: "Request" }]}
            />
          </Group>
          <InsertRun run={live.insertion} />
          {result?.problem && <p className={css.problem}>{result.problem.message}</p>}
          {Object.keys(live.errors).length === 0 && <ErrorNote error={live.error} />}
          {result?.payload && (
            <div className={`panel ${css.event}`} aria-label="What would be sent">
              {shown === "payload" ? <JsonView value={result.payload} tools={false} /> : request
                ? (
                  <>
                    <code style={{ overflowWrap: "anywhere" }}>
                      <b>{request.method}</b> {request.url}
                    </code>
                    <Body text={request.body} />
                  </>
                )
                : (
                  <span className="dim">
                    {result.matched
                      ? "This action's requests can't be shown without sending."
                      : "Nothing would be sent: the event does not meet the trigger."}
                  </span>
                )}
            </div>
          )}
          <Group gap={12} mt={12}>
            <Button
              variant="default"
              leftSection={<IconSend size={16} />}
              disabled={!chosen.given || !result?.matched || !!result.problem}
              loading={test.isPending}
              onClick={send}
            >
              Send test
            </Button>
            <span className="dim small">Really sends this one event, as the mapping stands here.</span>
          </Group>
          <ErrorNote error={test.error} />
          {test.data && !test.isPending && <Sent result={test.data.test} />}
        </>
      )}
    </section>
  );
}

function Verdict({ live: { result, error } }: { live: Live }) {
  if (error) return <StateChip state="discarded">Can't be saved like this</StateChip>;
  if (!result) return <StateChip state="pending">Looking</StateChip>;
  if (result.problem) return <StateChip state="discarded">Not valid</StateChip>;
  if (!result.matched) return <StateChip state="filtered">The event does not meet the trigger</StateChip>;
  return <StateChip state="delivered">Meets the trigger, valid</StateChip>;
}

function Body({ text }: { text: string }) {
  try {
    return <JsonView value={JSON.parse(text)} tools={false} />;
  } catch {
    return <pre style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>{text}</pre>;
  }
}

function Sent({ result }: { result: Result }) {
  const { outcome } = result;
  return (
    <div style={{ marginTop: 12 }} role="status">
      {outcome && (
        <Group gap={8} mb={8}>
          <StateChip
            state={outcome.kind === "delivered"
              ? "delivered"
              : outcome.kind === "retry"
              ? "retrying"
              : "discarded"}
          >
            {outcome.kind === "retry" ? "Would be retried" : undefined}
          </StateChip>
          {outcome.kind !== "delivered" && (
            <span style={{ overflowWrap: "anywhere" }}>{outcome.message}</span>
          )}
        </Group>
      )}
      {result.exchanges.map((each, at) => <ExchangeView key={at} exchange={each} />)}
    </div>
  );
}
