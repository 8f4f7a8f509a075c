/** The destination whose page this is. */
import { useParams } from "@tanstack/react-router";
import { useAll, useApi } from "~/api/hooks.ts";

export function useDestination() {
  const { destinationId } = useParams({ strict: false }) as { destinationId: string };
  const { data } = useApi("getDestination", { path: { destinationId } });
  return { destinationId, destination: data?.destination };
}

export function useMappings(destinationId: string) {
  return useAll("listSubscriptionsFromDestination", { path: { destinationId } });
}
