/** How a destination fares, from its books; from which share on it fails is as the server has it. */
import type { ConnectedDestination } from "~/api/generated.ts";
import { ago, count, percent } from "~/parts/format.ts";
import type { State } from "~/parts/states.ts";

/** Of what came to an end in the last hour: from this share of losses on a destination fails. */
const FAILING = 0.05;
/** From so many on, retries are more than what comes and goes. */
const RETRYING = 100;

export interface Health {
  state: State;
  word: string;
  /** What else there is to say of it, short. */
  note?: string;
  /** A sentence, if something needs attention. */
  trouble?: string;
}

export function healthOf(each: ConnectedDestination): Health {
  const { pausedSince, retrying } = each.delivery;
  if (!each.enabled) return { state: "filtered", word: "Disabled" };
  if (pausedSince) {
    const since = ago(Date.parse(pausedSince), Date.now());
    return {
      state: "retrying",
      word: "Paused",
      trouble:
        `fails as a whole: paused ${since}. Nothing is lost; it is probed, and catches up once it answers.`,
    };
  }
  const { discardedLately: lost, deliveredLately } = each;
  const losses = lost ? `${count(lost)} discarded` : "";
  if (lost >= FAILING * (lost + deliveredLately) && lost > 0) {
    const share = percent(Math.round((100 * lost) / (lost + deliveredLately)) / 100);
    return {
      state: "discarded",
      word: "Failing",
      note: losses,
      trouble: `lost ${count(lost)} ${lost === 1 ? "event" : "events"} (${share}) in the last hour.`,
    };
  }
  if (retrying >= RETRYING || (retrying && !deliveredLately)) {
    return {
      state: "retrying",
      word: `${count(retrying)} retrying`,
      note: losses,
      trouble: `has ${count(retrying)} ${retrying === 1 ? "event" : "events"} waiting for another attempt.`,
    };
  }
  const notes = [losses, retrying ? `${count(retrying)} retrying` : ""].filter(Boolean);
  return { state: "delivered", word: "Healthy", note: notes.join(" · ") };
}
