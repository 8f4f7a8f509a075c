/** An event's way to one destination: each step with its verdict, each delivery with its attempts. */
import { IconCheck, IconMinus, IconX } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { JsonView } from "~/parts/JsonView.tsx";
import { Monogram } from "~/parts/Monogram.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import { Time } from "~/parts/Time.tsx";
import css from "./Journey.module.css";
import { worded } from "./reasons.ts";
import {
  type Attempt,
  type Delivery,
  type Destination,
  type Fate,
  FATES,
  stateOf,
  type Step,
} from "./trace.ts";

const STAGES: Record<string, string> = {
  admission: "Meant for this destination",
  filter: "Filter",
  filters: "Filters, together",
  transformations: "Transformations",
  trigger: "Trigger of",
  triggers: "Met by a mapping",
  mapping: "Mapped by",
};

export function Journey({ destinations, open }: { destinations: Destination[]; open?: string }) {
  if (!destinations.length) {
    return <p className="dim">Its source has no destinations: the event is kept, and goes nowhere.</p>;
  }
  const troubled = destinations.filter((each) => TROUBLE.includes(each.status));
  const unfolded = new Set([
    open,
    ...(destinations.length === 1 ? destinations : troubled.slice(0, 2)).map(idOf),
  ]);
  return (
    <>
      {destinations.map((each) => (
        <details
          key={each.destinationId}
          className={css.journey}
          open={unfolded.has(each.destinationId) || undefined}
        >
          <summary>
            <Monogram name={each.name} />
            <span className={css.words}>
              <span className={css.name}>{each.name}</span>
              <span className="dim small">
                <Sentence text={each.summary} />
              </span>
            </span>
            <StateChip state={stateOf(each.status)}>{FATES[each.status]}</StateChip>
          </summary>
          <div className={css.inside}>
            {each.steps.length > 0 && (
              <ol className={css.steps}>
                {each.steps.map((step, at) => <StepLine key={at} step={step} />)}
              </ol>
            )}
            {each.deliveries.map((delivery, at) => <DeliveryPart key={at} delivery={delivery} to={each} />)}
            <p className="dim small" style={{ margin: "8px 0 0" }}>
              {each.configurationVersion !== null &&
                `Routed by version ${each.configurationVersion} of the configuration. `}
              <Link
                to="/destinations/$destinationId/delivery"
                params={{ destinationId: each.destinationId }}
                style={{ textDecoration: "underline" }}
              >
                Delivery of {each.name}
              </Link>
            </p>
          </div>
        </details>
      ))}
    </>
  );
}

const TROUBLE: Fate[] = ["discarded", "retrying", "unknown"];

function idOf(each: Destination): string {
  return each.destinationId;
}

/** With the times in it as one reads them. */
function Sentence({ text }: { text: string }) {
  return text.split(/(\d{4}-\d\d-\d\dT[\d:.]+Z)/).map((part, at) =>
    at % 2 ? <Time key={at} at={part} /> : part
  );
}

function StepLine({ step }: { step: Step }) {
  const single = step.stage === "filter" || step.stage === "trigger";
  const Icon = step.passed ? IconCheck : single ? IconMinus : IconX;
  const verdict = step.passed ? (single ? "matches" : "passed") : single ? "does not match" : "stopped here";
  return (
    <li data-verdict={step.passed ? "passed" : single ? "not" : "stopped"}>
      <Icon size={16} aria-hidden />
      <div>
        <span>
          {STAGES[step.stage] ?? step.stage} {step.name && <b>{step.name}</b>}
        </span>{" "}
        <span className="dim">{verdict}</span>
        {step.code && <code className="dim">{step.code}</code>}
        {step.message && <div className="dim small">{step.message}</div>}
        {step.output !== null && step.output !== undefined && (
          <details>
            <summary className="dim small">The event after it</summary>
            <JsonView value={step.output} tools={false} />
          </details>
        )}
      </div>
    </li>
  );
}

function DeliveryPart({ delivery, to }: { delivery: Delivery; to: Destination }) {
  return (
    <div className={css.delivery}>
      <div className={css.head}>
        <b>{delivery.name || "Delivery"}</b>
        <StateChip state={stateOf(delivery.status)}>{FATES[delivery.status]}</StateChip>
        {delivery.code && <code className="dim">{delivery.code}</code>}
      </div>
      {delivery.status === "retrying" || delivery.status === "pending" ? <Waits delivery={delivery} /> : (
        <div>
          <Sentence text={delivery.summary} />
        </div>
      )}
      {delivery.message && !delivery.attempts.some((each) => each.message === delivery.message) && (
        <div className={css.message}>{delivery.message}</div>
      )}
      {delivery.attempts.length > 0 && (
        <ol className={css.attempts} aria-label="Attempts">
          {delivery.attempts.map((attempt) => (
            <AttemptLine key={`${attempt.attempt} ${attempt.time}`} attempt={attempt} />
          ))}
        </ol>
      )}
      {delivery.payload !== null && delivery.payload !== undefined && (
        <details>
          <summary className="dim small">What was made of it</summary>
          <JsonView value={delivery.payload} tools={false} />
        </details>
      )}
      {delivery.discardId && (
        <Link
          to="/delivery/discards"
          search={{ destination: to.destinationId, discard: delivery.discardId } as never}
        >
          Open the discard, and send it again
        </Link>
      )}
    </div>
  );
}

function Waits({ delivery }: { delivery: Delivery }) {
  if (!delivery.nextAttemptAt) {
    return (
      <div>
        <Sentence text={delivery.summary} />
      </div>
    );
  }
  return (
    <div>
      {delivery.attemptsMade
        ? `Failed ${
          delivery.attemptsMade === 1 ? "once" : `${delivery.attemptsMade} times`
        }. The next attempt is due `
        : "Waits in its batch. The first attempt is due "}
      <Time at={delivery.nextAttemptAt} />
      {delivery.givesUpAt && (
        <>
          ; it is given up on <Time at={delivery.givesUpAt} />
        </>
      )}.
    </div>
  );
}

function AttemptLine({ attempt }: { attempt: Attempt }) {
  const state = attempt.outcome === "retry" ? "retrying" : attempt.outcome;
  return (
    <li>
      <span className="num dim">{attempt.attempt}</span>
      <StateChip state={state}>
        {attempt.outcome === "delivered" ? "Delivered" : worded(attempt.code)}
      </StateChip>
      <Time at={attempt.time} />
      {attempt.message && <span className="dim cut" title={attempt.message}>{attempt.message}</span>}
    </li>
  );
}
