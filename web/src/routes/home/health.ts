/** How a destination fares, from its books. */
import type { ConnectedDestination } from "~/api/generated.ts";
import { ago, count } from "~/parts/format.ts";
import type { State } from "~/parts/states.ts";

export interface Health {
  state: State;
  word: string;
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
  if (each.discardedLately > 0) {
    return {
      state: "discarded",
      word: `${count(each.discardedLately)} discarded`,
      trouble: `${count(each.discardedLately)} ${
        each.discardedLately === 1 ? "event was" : "events were"
      } given up on in the last hour.`,
    };
  }
  if (retrying > 0) {
    return {
      state: "retrying",
      word: `${count(retrying)} retrying`,
      trouble: `${count(retrying)} wait for another attempt.`,
    };
  }
  return { state: "delivered", word: "Healthy" };
}
