/**
 * Sources at the left, destinations at the right, and between them a ribbon for each connection: as wide as
 * its rate, in the colour of the destination's health. Where there is no room it is a list.
 */
import { useMediaQuery } from "@mantine/hooks";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { ConnectedDestination, ConnectedSource } from "~/api/generated.ts";
import { count, rate } from "~/parts/format.ts";
import { Monogram } from "~/parts/Monogram.tsx";
import { Sparkline } from "~/parts/Sparkline.tsx";
import { StateIcon } from "~/parts/StateChip.tsx";
import { STATES } from "~/parts/states.ts";
import type { Flow } from "./flow.ts";
import css from "./Graph.module.css";
import { healthOf } from "./health.ts";

const ROW = 52;
/** More than this would be a picture of nothing; the lists have them all. */
const SHOWN = 24;
/** Pixels of the widest ribbon, and between two that begin at the same source. */
const WIDEST = 14;
const APART = 7;

export function Graph({ flow }: { flow: Flow }) {
  const narrow = useMediaQuery("(max-width: 900px)");
  const [lit, setLit] = useState<string>();
  const all = flow.sources ?? [];
  // By what they have ever taken, not by their rate: what is shown must not change while one looks.
  const weight = new Map(
    flow.destinations.map((each) => [each.id, (healthOf(each).trouble ? 1e15 : 0) + each.delivery.delivered]),
  );
  const chosen = flow.destinations.toSorted((a, b) => weight.get(b.id)! - weight.get(a.id)!).slice(0, SHOWN);
  const kept = new Set(chosen.map((each) => each.id));
  const feeding = new Set(chosen.map((each) => each.sourceId));
  const connected = (each: ConnectedSource) => feeding.has(each.id);
  const sources = [...all.filter(connected), ...all.filter((each) => !connected(each))].slice(0, SHOWN);
  const order = new Map(sources.map((each, at) => [each.id, at]));
  // In the order of their sources, so that few ribbons cross; each source is in the middle of its own.
  const destinations = flow.destinations.filter((each) => kept.has(each.id) && order.has(each.sourceId))
    .toSorted((a, b) => order.get(a.sourceId)! - order.get(b.sourceId)!);
  const place = places(sources, destinations);
  const rows = Math.max(...place.values(), destinations.length - 1, 0) + 1;
  const middle = (at: number) => (at + 0.5) * ROW;
  const most = Math.max(...destinations.map((each) => flow.ofDestination(each.id).rate), 1);
  /** Where a ribbon leaves its source: side by side with its others. */
  const leaves = (each: ConnectedDestination) => {
    const beside = destinations.filter(({ sourceId }) => sourceId === each.sourceId);
    const apart = Math.min(APART, (ROW - 20) / beside.length);
    return middle(place.get(each.sourceId)!) + (beside.indexOf(each) - (beside.length - 1) / 2) * apart;
  };
  const isLit = (each: ConnectedDestination) => lit === each.id || lit === each.sourceId;

  const source = (each: ConnectedSource, style?: React.CSSProperties) => (
    <Link
      key={each.id}
      to="/sources/$sourceId"
      params={{ sourceId: each.id }}
      className={css.node}
      style={style}
      data-dim={lit !== undefined && lit !== each.id &&
          !destinations.some((d) => isLit(d) && d.sourceId === each.id) || undefined}
      onMouseEnter={() => setLit(each.id)}
      onMouseLeave={() => setLit(undefined)}
    >
      <Monogram name={each.kindName} />
      <span className={css.name}>
        <span className="cut">{each.name || each.slug}</span>
        {!each.enabled && <span className="dim small">disabled</span>}
      </span>
      <Sparkline values={flow.ofSource(each.id).series} width={48} />
      <span className={`num ${css.rate}`}>{rate(flow.ofSource(each.id).rate)}</span>
    </Link>
  );
  const destination = (each: ConnectedDestination) => {
    const health = healthOf(each);
    return (
      <Link
        key={each.id}
        to="/destinations/$destinationId"
        params={{ destinationId: each.id }}
        className={css.node}
        data-dim={lit !== undefined && !isLit(each) || undefined}
        onMouseEnter={() => setLit(each.id)}
        onMouseLeave={() => setLit(undefined)}
      >
        <StateIcon state={health.state} label={health.word} />
        <Monogram name={each.kindName} />
        <span className={css.name}>
          <span className="cut">{each.name || each.kindName}</span>
          <span className="dim small cut">{noteOf(each, health.word)}</span>
        </span>
        <span className={`num ${css.rate}`}>{rate(flow.ofDestination(each.id).rate)}</span>
      </Link>
    );
  };
  const more = flow.destinations.length - destinations.length;
  const rest = more > 0 && (
    <Link to="/destinations" className="dim small">and {count(more)} more destinations</Link>
  );

  if (narrow) {
    return (
      <div className={css.list}>
        {sources.map((each) => (
          <div key={each.id} className="panel">
            {source(each)}
            {destinations.filter(({ sourceId }) => sourceId === each.id).map(destination)}
          </div>
        ))}
        {rest}
      </div>
    );
  }
  return (
    <>
      <div className={css.graph} style={{ height: rows * ROW }}>
        <div className={css.column}>
          {sources.map((each) =>
            source(each, { position: "absolute", left: 0, right: 0, top: place.get(each.id)! * ROW })
          )}
        </div>
        <svg className={css.ribbons} viewBox={`0 0 100 ${rows * ROW}`} preserveAspectRatio="none" aria-hidden>
          {destinations.map((each, at) => {
            const from = leaves(each);
            const to = middle(at);
            const flowing = flow.ofDestination(each.id).rate;
            return (
              <path
                key={each.id}
                d={`M0 ${from} C 50 ${from}, 50 ${to}, 100 ${to}`}
                className={css.ribbon}
                data-lit={isLit(each) || undefined}
                data-dim={lit !== undefined && !isLit(each) || undefined}
                stroke={flowing > 0 || healthOf(each).trouble
                  ? STATES[healthOf(each).state].fill
                  : "var(--mantine-color-placeholder)"}
                strokeWidth={flowing > 0 ? 2 + (WIDEST - 2) * Math.sqrt(flowing / most) : 1.5}
                onMouseEnter={() => setLit(each.id)}
                onMouseLeave={() => setLit(undefined)}
              />
            );
          })}
        </svg>
        <div className={css.column}>
          {destinations.length
            ? destinations.map(destination)
            : <p className="dim">Events are kept in the log and go nowhere yet.</p>}
        </div>
      </div>
      {rest}
    </>
  );
}

/** The row of each source: in the middle of its destinations', but never on another's. */
function places(sources: ConnectedSource[], destinations: ConnectedDestination[]): Map<string, number> {
  const found = new Map<string, number>();
  let next = 0;
  for (const { id } of sources) {
    const rows = destinations.flatMap((each, at) => each.sourceId === id ? [at] : []);
    const wanted = rows.length ? (rows[0]! + rows.at(-1)!) / 2 : next;
    found.set(id, Math.max(next, wanted));
    next = found.get(id)! + 1;
  }
  return found;
}

function noteOf(each: ConnectedDestination, word: string): string {
  const { pending, retrying, pausedSince } = each.delivery;
  if (!each.enabled) return "Disabled";
  const waiting = pending - retrying;
  const notes = [
    word === "Healthy" ? "" : word,
    healthOf(each).note ?? "",
    retrying && pausedSince ? `${count(retrying)} retrying` : "",
    waiting > 0 ? `${count(waiting)} pending` : "",
  ];
  return notes.filter(Boolean).join(" · ") || each.kindName;
}
