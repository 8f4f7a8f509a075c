/** The destination whose page this is. */
import { useParams } from "@tanstack/react-router";
import type { DestinationMetadata } from "~/api/generated.ts";
import { useAll, useApi } from "~/api/hooks.ts";

export function useDestination() {
  const { destinationId } = useParams({ strict: false }) as { destinationId: string };
  const { data } = useApi("getDestination", { path: { destinationId } });
  return { destinationId, destination: data?.destination };
}

export function useMappings(destinationId: string) {
  return useAll("listSubscriptionsFromDestination", { path: { destinationId } });
}

const FUNCTION = "function-";

/** The id of the function that a destination is; undefined of a tool of the catalogue. */
export function functionOf({ slug, categories }: DestinationMetadata): string | undefined {
  return slug.startsWith(FUNCTION) && categories.includes("Functions")
    ? slug.slice(FUNCTION.length)
    : undefined;
}
