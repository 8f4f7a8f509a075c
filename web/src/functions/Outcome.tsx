/** What came of a test run: the verdict with its line, what was printed, what was sent, and how long it took. */
import { Button } from "@mantine/core";
import { IconAlertCircle } from "@tabler/icons-react";
import type { Trial } from "~/api/generated.ts";
import { ExchangeView } from "~/delivery/Exchange.tsx";
import { duration } from "~/parts/format.ts";
import { JsonView } from "~/parts/JsonView.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import type { State } from "~/parts/states.ts";
import css from "./Outcome.module.css";

const BECOMES: Record<string, { state: State; word: string }> = {
  delivered: { state: "delivered", word: "would be delivered" },
  retry: { state: "retrying", word: "would be retried" },
  discarded: { state: "discarded", word: "would be discarded" },
  filtered: { state: "filtered", word: "would be filtered" },
};

export function Outcome({ trial, onLine }: {
  trial: Trial;
  /** Where the code is beside it: to go to a line. */
  onLine?: (line: number) => void;
}) {
  const { state, word } = BECOMES[trial.action] ?? BECOMES.discarded!;
  return (
    <section className={`panel ${css.outcome}`} aria-label="Result of the test run">
      <header className={css.head} data-ok={trial.ok || undefined}>
        <StateChip state={state}>{trial.ok ? "OK" : trial.kind}</StateChip>
        <code>{trial.handler}</code>
        <span className="dim">{trial.events ? "" : `the ${trial.items ? "batch" : "event"} ${word}`}</span>
        <span className="num dim small" style={{ marginLeft: "auto" }}>
          {duration(trial.wallMs)} · {duration(trial.cpuMs)} of CPU · loaded in {duration(trial.loadMs)}
        </span>
      </header>
      {trial.message && (
        <div className={css.part}>
          <p className={css.message}>{trial.message}</p>
          {trial.line !== null && (onLine
            ? (
              <Button
                variant="subtle"
                size="compact-sm"
                onClick={() => onLine(trial.line!)}
              >
                line {trial.line}
              </Button>
            )
            : <span className="dim small">line {trial.line}</span>)}
          {trial.stack && (
            <details>
              <summary className="dim small">Where it came from</summary>
              <pre className={css.text} tabIndex={0}>{trial.stack}</pre>
            </details>
          )}
        </div>
      )}
      {trial.uncaught.length > 0 && (
        <Part title={`Not waited for: ${trial.uncaught.length}`}>
          {trial.uncaught.map((each, at) => <pre key={at} className={css.text}>{each}</pre>)}
        </Part>
      )}
      {trial.items && (
        <Part title={`Events of the batch: ${trial.items.length}`}>
          <ol className={css.items}>
            {trial.items.map((each, at) => {
              const became = BECOMES[String(each.action)] ?? BECOMES.discarded!;
              return (
                <li key={at}>
                  <StateChip state={became.state}>{String(each.kind)}</StateChip>
                  {each.message ? <span className="dim">{String(each.message)}</span> : null}
                </li>
              );
            })}
          </ol>
        </Part>
      )}
      {trial.events && (
        <Part title={`Events made: ${trial.events.length}`}>
          {trial.events.length
            ? <JsonView value={trial.events} tools={false} />
            : <span className="dim">None.</span>}
        </Part>
      )}
      <Part title={`Console: ${trial.logs.length}`}>
        {trial.logs.length === 0
          ? <span className="dim">Nothing was printed.</span>
          : (
            <ol className={css.log}>
              {trial.logs.map((each, at) => (
                <li key={at} data-level={each.level}>
                  {(each.level === "error" || each.level === "warn") && (
                    <IconAlertCircle size={14} aria-label={each.level} />
                  )}
                  <span>{each.text}</span>
                </li>
              ))}
            </ol>
          )}
        {trial.lostLogs > 0 && <p className="dim small">{trial.lostLogs} more lines are not shown.</p>}
      </Part>
      <Part title={`Requests: ${trial.requests.length}`}>
        {trial.requests.length === 0
          ? <span className="dim">None were sent.</span>
          : trial.requests.map((each, at) => (
            <ExchangeView key={at} exchange={each} open={trial.requests.length === 1} />
          ))}
      </Part>
      {trial.value !== null && trial.value !== undefined && (
        <Part title="Returned">
          <JsonView value={trial.value} tools={false} />
        </Part>
      )}
    </section>
  );
}

function Part({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <div className={css.part}>
      <h3 className={css.title}>{title}</h3>
      {children}
    </div>
  );
}
