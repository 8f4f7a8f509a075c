/** What a mapping, as it stands in the editor, makes of an event: asked of the server as one types. */
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ApiError, call } from "~/api/client.ts";
import type { InsertRun, Result } from "~/api/generated.ts";
import type { ChosenEvent } from "../destinations/event.ts";
import type { Draft } from "./draft.ts";

const PATIENCE = 250;

export interface Live {
  result: Result | undefined;
  /** What the insert function did on the way to the mapping. */
  insertion: InsertRun | null | undefined;
  error: unknown;
  /** What is wrong, by the field of the mapping that it is wrong with; `trigger` among them. */
  errors: Record<string, string>;
}

export function usePreview(
  path: { destinationId: string; id: string },
  draft: Draft | undefined,
  chosen: ChosenEvent,
  enabled: boolean,
): Live {
  const [asked] = useDebouncedValue(
    draft && chosen.given
      ? { ...chosen.given, trigger: draft.trigger, settings: draft.settings, send: false }
      : undefined,
    PATIENCE,
    { leading: true },
  );
  const { data, error } = useQuery({
    queryKey: ["testDestinationSubscription", "preview", path, asked],
    queryFn: () => call("testDestinationSubscription", { path, body: asked! }),
    enabled: enabled && asked !== undefined,
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: 60_000,
  });
  const errors: Record<string, string> = {};
  const result = data?.test;
  if (result?.problem) {
    for (const each of result.problem.fields) {
      const [key] = each.replace(/^\//, "").split("/");
      if (key) errors[key] ??= result.problem.message;
    }
  }
  return { result, insertion: data?.insertFunction, error, errors: { ...errors, ...placed(error) } };
}

/** A refusal's words by field. */
export function placed(error: unknown): Record<string, string> {
  if (!(error instanceof ApiError)) return {};
  const found: Record<string, string> = {};
  for (const { field, message } of error.problems) {
    const [first, second] = (field ?? "").replace(/^input\./, "").split(".");
    const key = first === "settings" ? second : first;
    if (key) found[key] ??= message;
  }
  return found;
}
