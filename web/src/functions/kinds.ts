/** The kinds of functions, and where each runs. */
import type { FunctionInstance, FunctionItem } from "~/api/generated.ts";
import { useApi } from "~/api/hooks.ts";

export type Kind = FunctionItem["resourceType"];

export const KINDS: Record<Kind, { word: string; does: string }> = {
  DESTINATION: { word: "Destination", does: "Gets events, and sends them anywhere." },
  INSERT_DESTINATION: { word: "Insert", does: "Changes or drops events before a destination gets them." },
  SOURCE: { word: "Source", does: "Takes webhooks, and makes events of them." },
  INSERT_SOURCE: { word: "Source insert", does: "Changes or drops events as a source takes them." },
};

export interface Instance extends FunctionInstance {
  /** What it is called where it runs: the destination, or else the source. */
  at: string;
  /** Its page. */
  to: string;
}

export interface Instances {
  seen: Instance[];
  /** How many more there are, of sources that one may not see. */
  hidden: number;
}

/** Where a function runs: destinations or sources of it, or what it is inserted before or after. */
export function useInstances(functionId: string, kind: Kind): Instances | undefined {
  const request = { path: { functionId }, query: { pagination: { count: 1000 } } };
  const { data } = useApi("listFunctionInstances", request, { every: 10_000 });
  return data && {
    hidden: data.hidden,
    seen: data.instances.map((each) => ({
      ...each,
      at: each.destinationName || each.sourceName,
      to: each.destinationId === null
        ? `/sources/${each.sourceId}/overview`
        : `/destinations/${each.destinationId}/${kind === "DESTINATION" ? "delivery" : "insert-function"}`,
    })),
  };
}

/** "v7", and which of the versions was deployed last. */
export function standing(
  versions: { number: number; isDeployed: boolean; isLatest: boolean }[] | undefined,
): {
  saved?: number;
  deployed?: number;
} {
  return {
    saved: versions?.find((each) => each.isLatest)?.number,
    deployed: versions?.find((each) => each.isDeployed)?.number,
  };
}
