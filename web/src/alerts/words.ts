/** What alerts are about, as one says it. */
import type { AlertTypeView, AlertView } from "~/api/generated.ts";

export type Type = AlertView["type"];

export const TYPES: Record<Type, { title: string; threshold?: string; unit?: string; minutes?: string }> = {
  DELIVERY_RATE: {
    title: "Delivery rate falls",
    threshold: "Delivered, at least",
    unit: "%",
    minutes: "Over the last",
  },
  SOURCE_VOLUME: {
    title: "Volume of a source changes",
    threshold: "More or less by",
    unit: "%",
    minutes: "Compared over",
  },
  SOURCE_SILENT: { title: "A source falls silent", minutes: "Nothing for" },
  BREAKER_OPEN: { title: "A destination fails as a whole", minutes: "For" },
  BACKLOG_AGE: { title: "Events wait too long", minutes: "Longer than" },
  FUNCTION_QUOTA: { title: "Functions use up their quota", threshold: "Used, of the month's", unit: "%" },
  DISK_FREE: { title: "The disk fills up", threshold: "Free, less than", unit: "GiB" },
};

/** "below 95 % over 24 h" */
export function ruleOf(alert: { type: Type; threshold: number; minutes: number }): string {
  const over = minutes(alert.minutes);
  switch (alert.type) {
    case "DELIVERY_RATE":
      return `below ${alert.threshold} % over ${over}`;
    case "SOURCE_VOLUME":
      return `${alert.threshold} % more or less than the ${over} before`;
    case "SOURCE_SILENT":
      return `no event for ${over}`;
    case "BREAKER_OPEN":
      return `for ${over}`;
    case "BACKLOG_AGE":
      return `longer than ${over}`;
    case "FUNCTION_QUOTA":
      return `at ${alert.threshold} %`;
    case "DISK_FREE":
      return `less than ${alert.threshold} GiB free`;
  }
}

function minutes(value: number): string {
  if (value % 1440 === 0) return value === 1440 ? "24 h" : `${value / 1440} d`;
  return value % 60 === 0 ? `${value / 60} h` : `${value} min`;
}

export const CHANNELS = {
  IN_APP: { label: "In the app", address: "" },
  EMAIL: { label: "Email", address: "ops@example.com" },
  SLACK: { label: "Slack", address: "https://hooks.slack.com/services/…" },
  WEBHOOK: { label: "Webhook", address: "https://…" },
} as const;

export function typeOf(types: AlertTypeView[] | undefined, type: Type): AlertTypeView | undefined {
  return types?.find((each) => each.type === type);
}
