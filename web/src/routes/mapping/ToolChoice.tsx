/** Choices that the tool itself has, such as its lists: asked for when one opens them. */
import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "~/api/client.ts";
import type { FormField } from "~/parts/fields.ts";

export interface Asked {
  destinationId: string;
  /** The slug of the action. */
  action: string;
  /** The field's key; of a hook's field `HOOK.FIELD`. */
  field: string;
  /** What is filled in so far and is the same for every event. */
  payload: Record<string, unknown>;
}

export function ToolChoice({ asked, field, labelled, value, onChange, disabled }: {
  asked: Asked;
  field: FormField;
  /** Whether its label is drawn as well. */
  labelled?: boolean;
  value: unknown;
  onChange: (value: string | undefined) => void;
  disabled: boolean;
}) {
  const [open, setOpen] = useState(false);
  const { destinationId, action, payload } = asked;
  const { data, isFetching, error } = useQuery({
    queryKey: ["listFieldChoices", asked],
    queryFn: () =>
      call("listFieldChoices", { path: { destinationId, action, field: asked.field }, body: { payload } }),
    enabled: open && !disabled,
    staleTime: 60_000,
  });
  const found = (data?.choices ?? []).map((each) => ({
    value: String(each.value),
    label: String(each.label ?? each.value),
  }));
  const text = value === undefined || value === null ? "" : String(value);
  const kept = text && !found.some((each) => each.value === text) ? [{ value: text, label: text }] : [];
  const naming = labelled
    ? { label: field.label, description: field.help || undefined, required: field.required }
    : { "aria-label": field.label };
  return (
    <Select
      {...naming}
      searchable
      clearable
      disabled={disabled}
      placeholder={isFetching ? "Asking the tool…" : "Choose"}
      value={text || null}
      data={[...kept, ...found]}
      onDropdownOpen={() => setOpen(true)}
      onChange={(next) => onChange(next ?? undefined)}
      nothingFoundMessage={isFetching ? "Asking the tool…" : "The tool has none"}
      error={error?.message ?? data?.error}
    />
  );
}

/** Of what is filled in, what is the same for every event. */
export function fixed(filled: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(filled).filter(([, value]) => typeof value !== "object"));
}
