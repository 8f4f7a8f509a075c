/** First-attempt success and final delivery as two lines; what lies between them retries have rescued. */
import { useState } from "react";
import type { DeliverabilityPoint } from "~/api/generated.ts";
import { count, percent } from "~/parts/format.ts";
import css from "./RatePlot.module.css";
import { short } from "./Trend.tsx";

const WIDTH = 1000;
const HEIGHT = 200;

export function RatePlot(
  { series, startTime, endTime, bucketMinutes }: {
    series: DeliverabilityPoint[];
    startTime: string;
    endTime: string;
    bucketMinutes: number;
  },
) {
  const [at, setAt] = useState<number>();
  const from = Date.parse(startTime);
  const span = Math.max(1, Date.parse(endTime) - from);
  const half = bucketMinutes * 30_000;
  const points = series.filter((each) => each.finalRate !== null);
  const least = Math.min(1, ...points.map((each) => each.firstAttemptRate ?? 1));
  const floor = least > 0.98 ? 0.95 : least > 0.9 ? 0.8 : least > 0.5 ? 0.5 : 0;
  const x = (time: string) => Math.min(WIDTH, Math.max(0, ((Date.parse(time) + half - from) / span) * WIDTH));
  const y = (share: number) => HEIGHT - ((share - floor) / (1 - floor)) * (HEIGHT - 8) - 2;
  const line = (of: (each: DeliverabilityPoint) => number) =>
    points.map((each) => `${x(each.time).toFixed(1)},${y(of(each)).toFixed(1)}`);
  const final = line((each) => each.finalRate!);
  const first = line((each) => each.firstAttemptRate ?? 0);
  const read = at === undefined ? undefined : points[at];
  return (
    <figure className={`panel ${css.plot}`}>
      <figcaption className={css.reading} aria-live="polite">
        <Key colour="var(--accent)" word="in the end" value={read && percent(read.finalRate!)} />
        <Key
          colour="var(--retrying)"
          word="at the first attempt"
          dashed
          value={read && percent(read.firstAttemptRate ?? 0)}
        />
        {read && (
          <span className="num dim">
            {short(read.time)}: {count(read.delivered)} delivered, {count(read.rescued)} rescued,{" "}
            {count(read.notDelivered)} given up on
          </span>
        )}
      </figcaption>
      <div className={css.frame}>
        <div className={`${css.axis} dim small num`} aria-hidden>
          <span>100 %</span>
          <span>{percent((1 + floor) / 2)}</span>
          <span>{percent(floor)}</span>
        </div>
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`First-attempt success and final delivery from ${short(startTime)} to ${
            short(endTime)
          }`}
          onPointerMove={(event) => {
            const box = event.currentTarget.getBoundingClientRect();
            const place = ((event.clientX - box.left) / box.width) * WIDTH;
            const distances = points.map((each) => Math.abs(x(each.time) - place));
            setAt(distances.length ? distances.indexOf(Math.min(...distances)) : undefined);
          }}
          onPointerLeave={() => setAt(undefined)}
        >
          {[1, (1 + floor) / 2, floor].map((share) => (
            <line key={share} x1={0} x2={WIDTH} y1={y(share)} y2={y(share)} className={css.rule} />
          ))}
          {points.length > 1 && (
            <polygon
              points={[...final, ...first.toReversed()].join(" ")}
              fill="var(--retrying)"
              opacity={0.14}
            />
          )}
          <polyline points={first.join(" ")} className={css.first} />
          <polyline points={final.join(" ")} className={css.final} />
          {read && <line x1={x(read.time)} x2={x(read.time)} y1={0} y2={HEIGHT} className={css.rule} />}
        </svg>
        {points.map((each) => (
          <span key={each.time} aria-hidden>
            <Dot
              left={x(each.time) / WIDTH}
              top={y(each.firstAttemptRate ?? 0) / HEIGHT}
              colour="var(--retrying)"
            />
            <Dot left={x(each.time) / WIDTH} top={y(each.finalRate!) / HEIGHT} colour="var(--accent)" />
          </span>
        ))}
      </div>
      <div className={`${css.ends} dim small num`}>
        <span>{short(startTime)}</span>
        <span>{short(endTime)}</span>
      </div>
    </figure>
  );
}

/** Outside of the picture, which is stretched. */
function Dot({ left, top, colour }: { left: number; top: number; colour: string }) {
  return (
    <span
      className={css.dot}
      style={{ left: `calc(48px + (100% - 48px) * ${left})`, top: `${top * 100}%`, background: colour }}
    />
  );
}

function Key(
  { colour, word, dashed, value }: { colour: string; word: string; dashed?: boolean; value?: string },
) {
  return (
    <span className="num">
      <svg width={20} height={8} aria-hidden style={{ verticalAlign: 1 }}>
        <line
          x1={0}
          x2={20}
          y1={4}
          y2={4}
          stroke={colour}
          strokeWidth={2}
          strokeDasharray={dashed ? "4 3" : undefined}
        />
      </svg>{" "}
      {value && <b>{value}</b>} {word}
    </span>
  );
}
