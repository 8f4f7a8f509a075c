/**
 * Outcomes over time as stacked columns, and a reading of the one under the pointer; arrow keys go from
 * column to column. A click, or Enter, narrows the window to it.
 */
import { type KeyboardEvent, useState } from "react";
import type { MomentView } from "~/api/generated.ts";
import { absolute, count, duration } from "~/parts/format.ts";
import { StateIcon } from "~/parts/StateChip.tsx";
import { type State, STATES } from "~/parts/states.ts";
import css from "./Trend.module.css";

/** What there is of a moment; with more of it, more is told. */
export type Moment =
  & Pick<MomentView, "time" | "delivered" | "notDelivered" | "filtered">
  & Partial<MomentView>;

const LAYERS: { state: State & keyof Words; of: (moment: Moment) => number }[] = [
  { state: "delivered", of: (each) => each.delivered },
  { state: "discarded", of: (each) => each.notDelivered },
  { state: "filtered", of: (each) => each.filtered },
];
interface Words {
  delivered: string;
  discarded: string;
  filtered: string;
}
const OUTCOMES: Words = { delivered: "delivered", discarded: "discarded", filtered: "filtered" };
/** Attempts, which are no events: a strip below the columns. */
const RETRIES = { state: "retrying", word: "attempts failed, to be repeated" } as const;
const HEIGHT = 120;
const STRIP = 5;
/** The API answers for ten minutes at least. */
const SHORTEST = 10;

export function Trend(
  { series, bucketMinutes, onNarrow, words = OUTCOMES }: {
    series: Moment[];
    bucketMinutes: number;
    onNarrow: (startTime: string, endTime: string) => void;
    /** What the columns count, where it is not the outcomes of deliveries. */
    words?: Words;
  },
) {
  const [at, setAt] = useState<number>();
  const layers = LAYERS.filter((layer) => series.some((each) => layer.of(each) > 0))
    .map((layer) => ({ ...layer, word: words[layer.state] }));
  const retries = series.some((each) => each.retried);
  const sums = series.map((each) => layers.reduce((sum, layer) => sum + layer.of(each), 0));
  const top = Math.max(1, ...sums);
  const read = at === undefined ? undefined : series[at];
  const narrow = (moment: Moment) => {
    const start = Date.parse(moment.time);
    const end = start + Math.max(bucketMinutes, SHORTEST) * 60_000;
    onNarrow(new Date(start).toISOString(), new Date(end).toISOString());
  };
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) {
      event.preventDefault();
      setAt(Math.min(series.length - 1, Math.max(0, (at ?? series.length) + step)));
    }
    if (event.key === "Enter" && read) narrow(read);
  };
  const width = 100 / Math.max(1, series.length);
  return (
    <figure className={css.trend}>
      <figcaption className={css.reading} aria-live="polite">
        {read
          ? (
            <>
              <span className="num">{span(read.time, bucketMinutes)}</span>
              {layers.map((layer) =>
                layer.of(read) > 0 && (
                  <span key={layer.state} className="num">
                    <StateIcon state={layer.state} label="" /> {count(layer.of(read))} {layer.word}
                  </span>
                )
              )}
              {!!read.retried && (
                <span className="num">
                  <StateIcon state={RETRIES.state} label="" /> {count(read.retried)} {RETRIES.word}
                </span>
              )}
              {typeof read.p95LatencyMs === "number" && (
                <span className="num dim">P95 {duration(read.p95LatencyMs)}</span>
              )}
            </>
          )
          : [...layers, ...(retries ? [RETRIES] : [])].map((layer) => (
            <span key={layer.state} className="dim">
              <StateIcon state={layer.state} label="" /> {layer.word}
            </span>
          ))}
        <span className="num dim" style={{ marginLeft: "auto" }}>
          up to {count(top)} in {bucketMinutes >= 60 ? `${bucketMinutes / 60} h` : `${bucketMinutes} min`}
        </span>
      </figcaption>
      <div
        role="slider"
        tabIndex={0}
        aria-label="Outcomes over time"
        aria-valuemin={0}
        aria-valuemax={Math.max(0, series.length - 1)}
        aria-valuenow={at ?? series.length - 1}
        aria-valuetext={read
          ? `${span(read.time, bucketMinutes)}: ${count(read.delivered)} ${words.delivered}`
          : "now"}
        className={css.plot}
        onKeyDown={onKey}
        onPointerMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          const place = Math.floor(((event.clientX - box.left) / box.width) * series.length);
          setAt(Math.min(series.length - 1, Math.max(0, place)));
        }}
        onPointerLeave={() => setAt(undefined)}
        onClick={() => read && narrow(read)}
      >
        <svg viewBox={`0 0 100 ${HEIGHT + STRIP}`} preserveAspectRatio="none" aria-hidden>
          {at !== undefined && (
            <rect
              x={at * width}
              y={0}
              width={width}
              height={HEIGHT}
              fill="var(--hover)"
            />
          )}
          {series.map((each, index) => {
            let below = 0;
            const columns = layers.map((layer) => {
              const value = layer.of(each);
              if (!value) return null;
              const height = Math.max(1.5, (value / top) * (HEIGHT - 4));
              below += height;
              return (
                <rect
                  key={`${index} ${layer.state}`}
                  x={index * width + width * 0.1}
                  y={HEIGHT - below}
                  width={width * 0.8}
                  height={height}
                  fill={STATES[layer.state].fill}
                />
              );
            });
            return each.retried
              ? [
                ...columns,
                <rect
                  key={`${index} ${RETRIES.state}`}
                  x={index * width + width * 0.1}
                  y={HEIGHT + 1}
                  width={width * 0.8}
                  height={STRIP - 1}
                  fill={STATES[RETRIES.state].fill}
                />,
              ]
              : columns;
          })}
        </svg>
      </div>
      <div className={`${css.ends} dim small num`}>
        <span>{series[0] && short(series[0].time)}</span>
        <span>{series.at(-1) && short(series.at(-1)!.time)}</span>
      </div>
    </figure>
  );
}

function span(time: string, minutes: number): string {
  const start = Date.parse(time);
  const end = new Date(start + minutes * 60_000);
  return minutes === 1
    ? short(time)
    : `${short(time)} – ${minutes < 1440 ? end.toTimeString().slice(0, 5) : short(end.toISOString())}`;
}

export function short(time: string): string {
  return absolute(Date.parse(time)).replace(/ \d{4},/, ",").slice(0, -7);
}
