/**
 * The road as stages whose numbers add up: a stage, without what leaves it and with what joins it, is the
 * next one. Pure.
 */
import type { FunnelView } from "~/api/generated.ts";
import type { State } from "~/parts/states.ts";

/** What can be broken down, each by an operation of the API. */
export type Step =
  | "accepted"
  | "failedOnIngest"
  | "filteredAtSource"
  | "filteredAtDestination"
  | "failedDelivery"
  | "delivered"
  | "pending";

export interface Branch {
  label: string;
  count: number;
  /** Joins the road instead of leaving it. */
  joins?: boolean;
  state?: State;
  step?: Step;
  /** What it means, on hover. */
  help?: string;
}

export interface Stage {
  label: string;
  count: number;
  state?: State;
  step?: Step;
  branches: Branch[];
}

export function stagesOf(funnel: FunnelView): Stage[] {
  const { source, destination } = funnel;
  const received: Stage = {
    label: "Received",
    count: source.received,
    branches: some([
      {
        label: "duplicates",
        count: source.duplicates,
        state: "filtered",
        help: "A messageId that had come in the last 24 hours.",
      },
      { label: "failed on ingest", count: source.failedOnIngest, state: "discarded", step: "failedOnIngest" },
      {
        label: "filtered at source",
        count: source.filteredAtSource,
        state: "filtered",
        step: "filteredAtSource",
      },
    ]),
  };
  return destination
    ? [received, ...road(funnel)]
    : [received, { label: "Accepted", count: source.accepted, step: "accepted", branches: [] }];
}

/** From what was accepted to what became of it. Empty for a destination that was never enabled. */
export function road({ destination }: FunnelView): Stage[] {
  if (!destination) return [];
  const due = destination.accepted + destination.pendingBefore + destination.fannedOut +
    destination.redriven - destination.notForIt;
  const sent = due - destination.filteredAtDestination;
  const between = some([
    {
      label: "waited before",
      count: destination.pendingBefore,
      joins: true,
      help: "Had no outcome yet when the window began.",
    },
    {
      label: "for a second mapping",
      count: destination.fannedOut,
      joins: true,
      help: "Events that matched several mappings are delivered once for each.",
    },
    { label: "sent again by hand", count: destination.redriven, joins: true },
    {
      label: "while it was off",
      count: destination.notForIt,
      state: "filtered",
      help: "Came while the destination was disabled or not connected.",
    },
  ]);
  const filtered = some([{
    label: "filtered",
    count: destination.filteredAtDestination,
    state: "filtered",
    step: "filteredAtDestination",
  }]);
  const accepted = { label: "Accepted", count: destination.accepted, step: "accepted" } as const;
  return [
    // One stage is enough where nothing joins or leaves between the source and the destination.
    ...(between.length
      ? [{ ...accepted, branches: between }, { label: "For the destination", count: due, branches: filtered }]
      : [{ ...accepted, branches: filtered }]),
    {
      label: "To be sent",
      count: sent,
      branches: some([
        {
          label: "failed delivery",
          count: destination.failedDelivery,
          state: "discarded",
          step: "failedDelivery",
        },
        {
          label: destination.retryingNow && destination.pending
            ? `pending (${destination.retryingNow.toLocaleString("en")} retrying)`
            : "pending",
          count: destination.pending,
          state: destination.retryingNow ? "retrying" : "pending",
          step: "pending",
          help: "Wait for their first attempt or the next; nothing of it is lost.",
        },
      ]),
    },
    {
      label: "Delivered",
      count: destination.successfulDelivery,
      state: "delivered",
      step: "delivered",
      branches: some([
        {
          label: "after a retry",
          count: destination.successfulDelivery - destination.deliveredAtOnce,
          joins: true,
          help: "Of those delivered: not at the first attempt.",
        },
      ]),
    },
  ];
}

function some(branches: Branch[]): Branch[] {
  return branches.filter((each) => each.count > 0);
}
