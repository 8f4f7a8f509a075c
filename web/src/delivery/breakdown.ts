/** What a step of the road is made up of: its numbers by reason, event, version or mapping. */
import { useQuery } from "@tanstack/react-query";
import { type Answer, call } from "~/api/client.ts";
import type { Window } from "~/parts/WindowPicker.tsx";
import type { Step } from "./funnel.ts";
import type { ReasonStep } from "./reasons.ts";

export type By = "discardReason" | "eventName" | "eventType" | "appVersion" | "subscriptionId";

export const WORDS: Record<By, string> = {
  discardReason: "Reason",
  eventName: "Event",
  eventType: "Type",
  appVersion: "App version",
  subscriptionId: "Mapping",
};

export const STEPS: Record<Step, { title: string; reason?: ReasonStep; by: By[] }> = {
  accepted: { title: "Accepted", by: ["eventName", "eventType", "appVersion"] },
  failedOnIngest: {
    title: "Failed on ingest",
    reason: "ingest",
    by: ["discardReason", "eventName", "eventType", "appVersion"],
  },
  filteredAtSource: {
    title: "Filtered at the source",
    reason: "source",
    by: ["discardReason", "eventName", "eventType", "appVersion"],
  },
  filteredAtDestination: {
    title: "Filtered at the destination",
    reason: "destination",
    by: ["discardReason", "eventName", "eventType", "appVersion"],
  },
  failedDelivery: {
    title: "Failed delivery",
    reason: "delivery",
    by: ["discardReason", "eventName", "eventType", "appVersion", "subscriptionId"],
  },
  delivered: {
    title: "Delivered",
    by: ["eventName", "eventType", "discardReason", "appVersion", "subscriptionId"],
  },
  pending: {
    title: "Waiting for another attempt",
    reason: "delivery",
    by: ["discardReason", "eventName", "eventType", "appVersion", "subscriptionId"],
  },
};

export interface Part {
  key: string;
  total: number;
  series?: number[];
}

export interface Parts {
  total: number;
  parts: Part[];
}

export function useParts(
  step: Step | undefined,
  by: By,
  { sourceId, destinationId, window, count }: {
    sourceId: string;
    destinationId?: string;
    window: Window;
    /** What is known of the number of events: a new one has their parts asked for again at once. */
    count?: number;
  },
) {
  const question = ["parts", step, by, sourceId, destinationId, window.key];
  return useQuery({
    queryKey: [...question, count],
    queryFn: () => ask(step!, by, sourceId, destinationId, window),
    enabled: !!step && !!sourceId,
    // Those of a moment ago, of the same question.
    placeholderData: (before, asked) =>
      asked && JSON.stringify(asked.queryKey.slice(0, -1)) === JSON.stringify(question) ? before : undefined,
    staleTime: 10_000,
    refetchInterval: 10_000,
  });
}

async function ask(
  step: Step,
  by: By,
  sourceId: string,
  destinationId: string | undefined,
  window: Window,
): Promise<Parts> {
  if (step === "pending") {
    const waiting = await call("getPendingRetryFromDeliveryOverview", {
      query: { sourceId, destinationConfigId: destinationId ?? "", groupBy: [by] },
    });
    return {
      total: waiting.total,
      parts: waiting.dataset.map((each) => ({ key: each[by] ?? "", total: each.total })),
    };
  }
  const query = { sourceId, ...window.range(), granularity: fineness(window), groupBy: [by] };
  const there = { ...query, destinationConfigId: destinationId ?? "" };
  const answer = await ({
    accepted: () => call("getIngressSuccessMetricsFromDeliveryOverview", { query }),
    failedOnIngest: () => call("getIngressFailedMetricsFromDeliveryOverview", { query }),
    filteredAtSource: () => call("getFilteredAtSourceMetricsFromDeliveryOverview", { query }),
    filteredAtDestination: () =>
      call("getFilteredAtDestinationMetricsFromDeliveryOverview", { query: there }),
    failedDelivery: () => call("getEgressFailedMetricsFromDeliveryOverview", { query: there }),
    delivered: () => call("getEgressSuccessMetricsFromDeliveryOverview", { query: there }),
  }[step])();
  return partsOf(answer, by);
}

function partsOf(answer: Answer<"getIngressFailedMetricsFromDeliveryOverview">, by: By): Parts {
  return {
    total: answer.total,
    parts: answer.dataset.map((each) => ({
      key: each[by] ?? "",
      total: each.total,
      series: each.series.map((point) => point.count),
    })),
  };
}

/** The API counts by minutes for four hours of the last two days, by hours for two weeks. */
export function fineness(window: Window): "MINUTE" | "HOUR" | "DAY" {
  const began = Date.parse(window.range().startTime);
  if (window.minutes <= 240 && began > Date.now() - 47 * 3_600_000) return "MINUTE";
  return window.minutes <= 14 * 1440 ? "HOUR" : "DAY";
}
