/** What went wrong lately where a function runs, looked up again every few seconds. */
import { Button, Select } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { FailedRun } from "~/api/generated.ts";
import { useApi } from "~/api/hooks.ts";
import { Copy } from "~/parts/Copy.tsx";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { duration } from "~/parts/format.ts";
import { JsonView } from "~/parts/JsonView.tsx";
import { StateIcon } from "~/parts/StateChip.tsx";
import type { State } from "~/parts/states.ts";
import { Time } from "~/parts/Time.tsx";
import type { Instance, Kind } from "./kinds.ts";
import css from "./LogsPanel.module.css";
import { Console, Part, Problem, Requests, Uncaught } from "./Run.tsx";

const EVERY = 5_000;

const STATES: Record<FailedRun["outcome"], State> = {
  retried: "retrying",
  discarded: "discarded",
  filtered: "filtered",
};

export function LogsPanel(
  { functionId, kind, instances, shown, onLine, onTry }: {
    functionId: string;
    kind: Kind;
    instances: Instance[] | undefined;
    /** Number of the version in the editor; undefined if it was changed since it was saved. */
    shown: number | undefined;
    onLine: (line: number) => void;
    /** Test the function with what it failed for: an event, or the body of a request. */
    onTry: (input: unknown) => void;
  },
) {
  const [of, setOf] = useState<string | null>(null);
  const { data, error } = useApi("listFunctionLogs", { path: { functionId }, query: { count: 100 } }, {
    every: EVERY,
  });
  const runs = data?.logs.filter((each) => !of || each.instanceId === of);
  return (
    <>
      <ErrorNote error={error} />
      <div className={css.bar}>
        {instances && instances.length > 1 && (
          <Select
            size="xs"
            aria-label="Where"
            placeholder="All instances"
            clearable
            value={of}
            onChange={setOf}
            data={instances.map((each) => ({ value: each.id, label: placeOf(each) }))}
          />
        )}
        <span className="dim small">Failures, the newest first; looked up every {EVERY / 1000} s.</span>
      </div>
      {data && data.hidden > 0 && (
        <p className="dim small">
          {data.hidden === 1 ? "One instance is" : `${data.hidden} instances are`}{" "}
          left out, whose events you may not see.
        </p>
      )}
      {runs?.length === 0 && (
        <EmptyState title={of ? "Nothing is kept of this instance" : "Nothing has failed lately"}>
          {kind === "INSERT_SOURCE"
            ? "What a function after a source fails for is among the source's discarded events."
            : "Of each kind of failure the newest ten are kept, with the error, what was printed, and requests. What is printed when all goes well is not; a test run shows it."}
        </EmptyState>
      )}
      {runs?.map((each) => (
        <Run
          key={`${each.instanceId} ${each.messageId} ${each.time} ${each.attempt}`}
          run={each}
          onLine={each.versionNumber === shown ? onLine : undefined}
          onTry={() => onTry(kind === "SOURCE" ? (each.input as { body: unknown }).body : each.input)}
        />
      ))}
    </>
  );
}

function placeOf({ sourceName, destinationName }: Instance | FailedRun): string {
  return destinationName === null ? sourceName : `${destinationName} of ${sourceName}`;
}

function Run(
  { run, onLine, onTry }: {
    run: FailedRun;
    onLine?: (line: number) => void;
    onTry: () => void;
  },
) {
  const facts = [
    run.handler && `${run.handler}${run.events > 1 ? ` with ${run.events} events` : ""}`,
    run.attempt > 1 && `attempt ${run.attempt}`,
    run.wallMs !== null && duration(run.wallMs),
  ].filter(Boolean);
  return (
    <details className={css.run}>
      <summary>
        <StateIcon state={STATES[run.outcome]} />
        <span className={css.words}>
          <span className="cut">
            <b>{run.kind ?? inWords(run.code)}</b> {run.message}
          </span>
          <span className="dim small cut">
            {placeOf(run)}
            {run.versionNumber !== null && ` · v${run.versionNumber}`}
          </span>
        </span>
        <Time at={run.time} />
      </summary>
      <Problem message={run.message} line={run.line} stack={run.stack} onLine={onLine} />
      <Uncaught errors={run.uncaught} />
      <Console logs={run.logs} lost={run.lostLogs} />
      <Requests exchanges={run.exchanges as never} />
      <Part title={run.messageId === null ? "Request to its webhook" : "Event"}>
        <JsonView value={run.input} tools={false} />
      </Part>
      <footer className={`${css.foot} dim small num`}>
        <span>{facts.join(" · ")}</span>
        <span className={css.links}>
          {run.messageId !== null && (
            <>
              <Copy value={run.messageId} label="Copy messageId" />
              <Link to="/delivery/trace" search={{ messageId: run.messageId } as never}>Trace</Link>
            </>
          )}
          <Button variant="subtle" size="compact-xs" onClick={onTry}>Test with it</Button>
        </span>
      </footer>
    </details>
  );
}

/** `UNSUPPORTED_EVENT_TYPE` as "Unsupported event type". */
function inWords(code: string): string {
  const words = code.toLowerCase().replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
