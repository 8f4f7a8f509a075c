/** The source whose page this is. */
import { useParams } from "@tanstack/react-router";
import { useApi } from "~/api/hooks.ts";
import type { SourceView } from "~/api/generated.ts";

export function useSource(): {
  sourceId: string;
  source: SourceView | undefined;
  trackingPlanId?: string | null;
} {
  const { sourceId } = useParams({ strict: false }) as { sourceId: string };
  const { data } = useApi("getSource", { path: { sourceId } });
  return { sourceId, source: data?.source, trackingPlanId: data?.trackingPlanId };
}
