/** What came of a test run: the verdict with its line, what was printed, what was sent, and how long it took. */
import type { Trial } from "~/api/generated.ts";
import { duration } from "~/parts/format.ts";
import { JsonView } from "~/parts/JsonView.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import type { State } from "~/parts/states.ts";
import css from "./Outcome.module.css";
import { Console, Part, Problem, Requests, Uncaught } from "./Run.tsx";

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
        <Problem message={trial.message} line={trial.line} stack={trial.stack} onLine={onLine} />
      )}
      <Uncaught errors={trial.uncaught} />
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
      <Console logs={trial.logs} lost={trial.lostLogs} />
      <Requests exchanges={trial.requests} />
      {trial.value !== null && trial.value !== undefined && (
        <Part title="Returned">
          <JsonView value={trial.value} tools={false} />
        </Part>
      )}
    </section>
  );
}
