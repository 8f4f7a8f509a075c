/** The kinds of functions, and where each runs. */
import type { ConnectedDestination, ConnectedSource, FunctionItem } from "~/api/generated.ts";
import { useAll, useApi } from "~/api/hooks.ts";

export type Kind = FunctionItem["resourceType"];

export const KINDS: Record<Kind, { word: string; does: string }> = {
  DESTINATION: { word: "Destination", does: "Gets events, and sends them anywhere." },
  INSERT_DESTINATION: { word: "Insert", does: "Changes or drops events before a destination gets them." },
  SOURCE: { word: "Source", does: "Takes webhooks, and makes events of them." },
  INSERT_SOURCE: { word: "Source insert", does: "Changes or drops events as a source takes them." },
};

export interface Instance {
  id: string;
  name: string;
  enabled: boolean;
  to: string;
}

/** Where a function runs: destinations or sources of it, or destinations that it is inserted before. */
export function useInstances(functionId: string, kind: Kind | undefined): Instance[] | undefined {
  const connections = useApi("getConnections", {}, { every: 10_000 });
  const inserted = kind === "INSERT_DESTINATION" || kind === "INSERT_SOURCE";
  const inserts = useAll("listInsertFunctionInstances", { query: { functionId } }, { enabled: inserted });
  const found = connections.data?.connections;
  if (!found || !kind) return undefined;
  const ofIt = (each: ConnectedDestination | ConnectedSource) => each.kind === `function-${functionId}`;
  const destination = (each: ConnectedDestination): Instance => ({
    id: each.id,
    name: each.name || each.kindName,
    enabled: each.enabled,
    to: `/destinations/${each.id}/delivery`,
  });
  if (kind === "DESTINATION") return found.destinations.filter(ofIt).map(destination);
  if (kind === "SOURCE") {
    return found.sources.filter(ofIt).map((each) => ({
      id: each.id,
      name: each.name || each.slug,
      enabled: each.enabled,
      to: `/sources/${each.id}/overview`,
    }));
  }
  return inserts.items?.map((each) => {
    const before = found.destinations.find((to) => to.id === each.integrationId);
    const source = found.sources.find((from) => from.id === each.integrationId);
    const name = before ? before.name || before.kindName : source ? source.name || source.slug : each.name;
    return {
      id: each.id,
      name,
      enabled: each.enabled,
      to: before ? `/destinations/${before.id}/insert-function` : `/sources/${each.integrationId}/overview`,
    };
  });
}

/** "v7", and which of the versions runs. */
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
