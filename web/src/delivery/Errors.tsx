/** Why events did not arrive: each reason with what happened, what to do, samples, and sending again. */
import { Button } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ErrorView } from "~/api/generated.ts";
import { count } from "~/parts/format.ts";
import { StateChip } from "~/parts/StateChip.tsx";
import { Time } from "~/parts/Time.tsx";
import css from "./Errors.module.css";
import { Redrive } from "./Redrive.tsx";

export function Errors(
  { errors, destinationId, name, mappingName, onSamples }: {
    errors: ErrorView[];
    destinationId: string;
    name: string;
    mappingName: (id: string) => string;
    onSamples: (outcome: string, code: string) => void;
  },
) {
  if (!errors.length) {
    return (
      <p className="dim" style={{ display: "flex", gap: 8, alignItems: "center", margin: 0 }}>
        <IconCircleCheck size={16} color="var(--delivered)" aria-hidden /> Nothing failed in this window.
      </p>
    );
  }
  return (
    <ul className={`panel ${css.list}`} aria-label="Errors">
      {errors.map((each) => (
        <li key={`${each.outcome} ${each.code}`}>
          <div className={css.head}>
            <StateChip state={each.outcome === "discarded" ? "discarded" : "retrying"}>
              {count(each.count)}{" "}
              {each.outcome === "discarded" ? "discarded" : each.count === 1 ? "retry" : "retries"}
            </StateChip>
            <b>{each.title}</b>
            <code className="dim">{each.code}</code>
            <span className="dim small" style={{ marginLeft: "auto" }}>
              last <Time at={each.lastSeen} />
            </span>
          </div>
          <p className={css.words}>
            {each.explanation} <span>{each.remedy}</span>
          </p>
          <div className={css.actions}>
            <Button
              variant="default"
              size="compact-sm"
              h={28}
              onClick={() => onSamples(each.outcome, each.code)}
            >
              See samples
            </Button>
            {each.outcome === "discarded" && (
              <>
                <Link
                  to="/delivery/discards"
                  search={{ destination: destinationId, code: each.code } as never}
                  className={css.link}
                >
                  All discards
                </Link>
                <Redrive destinationId={destinationId} name={name} code={each.code} />
              </>
            )}
            {each.subscriptions.filter((share) => share.subscriptionId).slice(0, 3).map((share) => (
              <Link
                key={share.subscriptionId}
                to="/destinations/$destinationId/mappings/$subscriptionId"
                params={{ destinationId, subscriptionId: share.subscriptionId! }}
                className={css.link}
              >
                Mapping {mappingName(share.subscriptionId!)}
              </Link>
            ))}
          </div>
        </li>
      ))}
    </ul>
  );
}

/** What was filtered, by reason: no error, so quieter. */
export function Filtered({ reasons }: { reasons: ErrorView[] }) {
  if (!reasons.length) return null;
  return (
    <ul className={`panel ${css.list}`} aria-label="Filtered">
      {reasons.map((each) => (
        <li key={each.code}>
          <div className={css.head}>
            <StateChip state="filtered">{count(each.count)}</StateChip>
            <b>{each.title}</b>
            <code className="dim">{each.code}</code>
            <span className="dim small" style={{ marginLeft: "auto" }}>
              last <Time at={each.lastSeen} />
            </span>
          </div>
          <p className={css.words}>
            {each.explanation} <span>{each.remedy}</span>
          </p>
        </li>
      ))}
    </ul>
  );
}
