/** One step of the road broken down; `by` is in the address. */
import { SegmentedControl } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useAddress } from "~/parts/address.ts";
import { CloseButton } from "@mantine/core";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { count, percent } from "~/parts/format.ts";
import { Sparkline } from "~/parts/Sparkline.tsx";
import type { Window } from "~/parts/WindowPicker.tsx";
import css from "./Breakdown.module.css";
import { type By, STEPS, useParts, WORDS } from "./breakdown.ts";
import type { Step } from "./funnel.ts";
import { useReasons } from "./reasons.ts";

const SHOWN = 50;

export function Breakdown(
  { step, sourceId, destinationId, window, mappingName, onClose }: {
    step: Step;
    sourceId: string;
    destinationId?: string;
    window: Window;
    mappingName?: (id: string) => string;
    onClose: () => void;
  },
) {
  const { title, reason, by: choices } = STEPS[step];
  const [chosen, setChosen] = useAddress("by", "");
  const by = choices.includes(chosen as By) ? chosen as By : choices[0]!;
  const { data, error } = useParts(step, by, { sourceId, destinationId, window });
  const reasons = useReasons();
  const word = (key: string): string => {
    if (by === "discardReason") {
      const attempt = key.match(/^successes\.attempt\.(\d+)$/)?.[1];
      if (attempt) return attempt === "1" ? "At the first attempt" : `At attempt ${attempt}`;
      return reasons(reason ?? "delivery", key).title;
    }
    if (by === "subscriptionId") return mappingName?.(key) || key || "No mapping";
    return key || (by === "eventName" ? "No name" : by === "appVersion" ? "No version" : "–");
  };
  return (
    <section className={css.breakdown} aria-label={`${title}, broken down`}>
      <div className={css.head}>
        <h3>
          {title} <span className="num dim">{data && count(data.total)}</span>
        </h3>
        <div style={{ overflowX: "auto", maxWidth: "100%" }}>
          <SegmentedControl
            size="xs"
            aria-label="Broken down by"
            value={by}
            onChange={(value) => setChosen(value as By)}
            data={choices.map((value) => ({
              value,
              label: step === "delivered" && value === "discardReason" ? "Attempt" : WORDS[value],
            }))}
          />
        </div>
        <CloseButton aria-label="Close the breakdown" onClick={onClose} style={{ marginLeft: "auto" }} />
      </div>
      <ErrorNote error={error} />
      {data?.parts.length === 0 && (
        <p className="dim" style={{ margin: "8px 0" }}>
          {step === "pending"
            ? "Nothing waits for a retry: what is pending waits for its first attempt."
            : "Nothing of this in the window. Counters are a few seconds behind."}
        </p>
      )}
      <table className={css.table}>
        <thead className={css.hidden}>
          <tr>
            <th>{WORDS[by]}</th>
            <th>Course</th>
            <th>Share</th>
            <th>Events</th>
          </tr>
        </thead>
        <tbody>
          {data?.parts.slice(0, SHOWN).map((part) => (
            <tr key={part.key}>
              <td>
                <div className="cut">
                  <Down
                    step={step}
                    by={by}
                    value={part.key}
                    sourceId={sourceId}
                    destinationId={destinationId}
                  >
                    {word(part.key)}
                  </Down>
                  {by === "discardReason" && reason && <code className="dim small">&ensp;{part.key}</code>}
                </div>
              </td>
              <td className={css.course}>{part.series && <Sparkline values={part.series} width={96} />}</td>
              <td className="num dim">{data.total ? percent(part.total / data.total) : ""}</td>
              <td className="num">{count(part.total)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Down to the events behind a number, where they are kept. */
function Down(
  { step, by, value, sourceId, destinationId, children }: {
    step: Step;
    by: By;
    value: string;
    sourceId: string;
    destinationId?: string;
    children: string;
  },
) {
  if (step === "failedDelivery" && by === "discardReason" && destinationId) {
    return (
      <Link to="/delivery/discards" search={{ destination: destinationId, code: value } as never}>
        {children}
      </Link>
    );
  }
  if (value && (by === "eventName" || by === "eventType")) {
    return (
      <Link
        to="/sources/$sourceId/debugger"
        params={{ sourceId }}
        search={{ search: value } as never}
        title="The latest of them, in the debugger"
      >
        {children}
      </Link>
    );
  }
  return <>{children}</>;
}
