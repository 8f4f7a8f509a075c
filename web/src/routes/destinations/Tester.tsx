/** Sends one event for real, through every enabled mapping, and shows what went out and came back. */
import { Button, Group, Stack } from "@mantine/core";
import { IconSend } from "@tabler/icons-react";
import type { EventResult, InsertRun as Run, Result } from "~/api/generated.ts";
import { useChange } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { ExchangeView } from "~/delivery/Exchange.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { JsonView } from "~/parts/JsonView.tsx";
import { LinkButton } from "~/parts/LinkButton.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import type { State } from "~/parts/states.ts";
import { useDestination } from "./destination.ts";
import { EventPicker, OwnEvent } from "./EventPicker.tsx";
import { useEvent } from "./event.ts";
import { InsertRun } from "./InsertRun.tsx";
import css from "./Tester.module.css";

export default function Tester() {
  const { destination, destinationId } = useDestination();
  const { may } = useSession();
  const chosen = useEvent(destination?.sourceId);
  const test = useChange("testDestinationEvent");
  if (!destination) return null;
  return (
    <div className={css.halves}>
      <section aria-label="Event">
        <EventPicker chosen={chosen} />
        <ErrorNote error={chosen.error} />
        <div style={{ marginTop: 12 }}>
          {chosen.text === undefined
            ? chosen.event && (
              <div className={`panel ${css.event}`}>
                <JsonView value={chosen.event} tools={false} />
              </div>
            )
            : <OwnEvent chosen={chosen} />}
        </div>
        <Group mt={12} gap={12}>
          <Button
            leftSection={<IconSend size={16} />}
            disabled={!chosen.given || !may("destination:write")}
            loading={test.isPending}
            onClick={() => test.mutate({ path: { destinationId }, body: chosen.given! })}
          >
            Send event
          </Button>
          <span className="dim small">
            It is really sent, whether the destination is enabled or not. Filters don't hold it up.
          </span>
        </Group>
      </section>
      <section aria-label="Result" aria-live="polite">
        <ErrorNote error={test.error} />
        {test.data && !test.isPending
          ? <Told result={test.data.test} run={test.data.insertFunction} destinationId={destinationId} />
          : !test.error && (
            <p className={`dim ${css.hint}`}>
              {test.isPending
                ? "Sending…"
                : "What each mapping makes of the event, the requests, and the tool's answers show here."}
            </p>
          )}
      </section>
    </div>
  );
}

function Told({ result, run, destinationId }: {
  result: EventResult;
  run: Run | null;
  destinationId: string;
}) {
  const met = result.results.filter((each) => each.matched);
  const rest = result.results.filter((each) => !each.matched);
  return (
    <Stack gap={16}>
      <Group gap={8}>
        <StateChip state={result.success ? "delivered" : result.matched ? "discarded" : "filtered"}>
          {result.success ? "Delivered" : result.matched ? "Not delivered" : "Nothing was sent"}
        </StateChip>
        <span>{result.message}</span>
      </Group>
      {result.bypassed && (
        <p className={css.bypassed}>
          On its ordinary way this event would have ended before: {result.bypassed.message}
        </p>
      )}
      {result.matched === 0 && (
        <LinkButton to="/destinations/$destinationId/mappings" params={{ destinationId }} variant="default">
          Look at the mappings
        </LinkButton>
      )}
      <InsertRun run={run} />
      {met.map((each) => <One key={each.subscriptionId} result={each} destinationId={destinationId} />)}
      {rest.length > 0 && met.length > 0 && (
        <p className="dim small" style={{ margin: 0 }}>
          Not meant by it: {rest.map((each) => each.name || each.actionSlug).join(", ")}
        </p>
      )}
    </Stack>
  );
}

const FATES: Record<string, State> = { delivered: "delivered", retry: "retrying", discarded: "discarded" };

function One({ result, destinationId }: { result: Result; destinationId: string }) {
  const { outcome, problem } = result;
  return (
    <div>
      <Group gap={8} mb={8}>
        <h3 style={{ margin: 0, fontSize: 14 }}>{result.name || result.actionSlug}</h3>
        {outcome && (
          <StateChip state={FATES[outcome.kind]!}>
            {outcome.kind === "retry" ? "Would be retried" : undefined}
          </StateChip>
        )}
        {problem && <StateChip state="discarded">{problem.code}</StateChip>}
        <span style={{ flex: 1 }} />
        <LinkButton
          to="/destinations/$destinationId/mappings/$subscriptionId"
          params={{ destinationId, subscriptionId: result.subscriptionId }}
          variant="subtle"
        >
          Edit mapping
        </LinkButton>
      </Group>
      {problem && <p style={{ margin: "0 0 8px" }}>{problem.message}</p>}
      {outcome && outcome.kind !== "delivered" && (
        <p style={{ margin: "0 0 8px", overflowWrap: "anywhere" }}>{outcome.message}</p>
      )}
      {result.exchanges.map((each, at) => <ExchangeView key={at} exchange={each} />)}
      {result.exchangesLeftOut > 0 && <p className="dim small">and {result.exchangesLeftOut} more</p>}
    </div>
  );
}
