/** Why events end on the way: titles, explanations and remedies of codes, by the step at which they end. */
import { useApi } from "~/api/hooks.ts";

export type ReasonStep = "ingest" | "source" | "destination" | "delivery";

export interface Reason {
  title: string;
  explanation: string;
  remedy: string;
}

export function useReasons(): (step: ReasonStep, code: string) => Reason {
  const { data } = useApi("listDeliveryReasons", {});
  return (step, code) => {
    const known = data?.reasons[step]?.find((each) => each.code.toLowerCase() === code.toLowerCase());
    return known ?? { title: worded(code), explanation: "", remedy: "" };
  };
}

/** A code that has no text of its own. */
export function worded(code: string): string {
  if (/^\d{3}$/.test(code)) return `HTTP ${code}`;
  const words = code.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1).toLowerCase();
}
