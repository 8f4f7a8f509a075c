/**
 * What an action does at the tool once, before it can send: make a list, choose a catalogue. It is done at
 * once, and what comes of it is kept with the mapping.
 */
import { Button, Group, Stack } from "@mantine/core";
import { useMemo, useState } from "react";
import type { ActionView, HookView } from "~/api/generated.ts";
import { useChange } from "~/api/hooks.ts";
import { Copy } from "~/parts/Copy.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { FieldForm } from "~/parts/FieldForm.tsx";
import { actionFields, defaults } from "~/parts/fields.ts";
import { Section } from "~/parts/Section.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import type { Mapping } from "./Fields.tsx";
import { fixed, ToolChoice } from "./ToolChoice.tsx";
import type { Json } from "./values.ts";

const ON_SAVE = "onMappingSave";

interface Kept {
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

/** Of those for mappings of events and of a warehouse's rows, which do the same, the one for events. */
export function hooksOf(action: ActionView): HookView[] {
  const { hooks } = action.onward;
  return hooks.some((each) => each.name === ON_SAVE) ? hooks.filter((each) => each.name === ON_SAVE) : hooks;
}

export function Hook({ hook, action, tool, path, settings, onKept, disabled }: {
  hook: HookView;
  /** The slug of the action that it is of. */
  action: string;
  /** Its name. */
  tool: string;
  path: { destinationId: string; id: string };
  settings: Mapping;
  /** What is kept of it now, under its name. */
  onKept: (name: string, kept: Json) => void;
  disabled: boolean;
}) {
  const kept = settings[hook.name] as Kept | undefined;
  const fields = useMemo(() => actionFields(hook.inputFields), [hook]);
  const [inputs, setInputs] = useState<Record<string, unknown>>(kept?.inputs ?? defaults(fields));
  const run = useChange("runSubscriptionHook", [
    "getSubscriptionFromDestination",
    "listSubscriptionsFromDestination",
  ]);
  const outputs = Object.entries(kept?.outputs ?? {}).filter(([, value]) => value !== null && value !== "");
  const labelOf = (key: string) => hook.outputFields.find((each) => each.fieldKey === key)?.label ?? key;
  return (
    <Section title={hook.label} note={hook.description}>
      <Stack gap={16} className="panel" p={16}>
        {kept && (
          <Group gap={8}>
            <StateChip state="delivered">Done</StateChip>
            {outputs.map(([key, value]) => (
              <span key={key}>
                <span className="dim">{labelOf(key)}</span> <Copy value={String(value)} />
              </span>
            ))}
          </Group>
        )}
        <FieldForm
          fields={fields}
          values={inputs}
          onChange={setInputs}
          disabled={disabled}
          input={(field, value, set) =>
            field.dynamic && !field.multiple && (
              <ToolChoice
                asked={{
                  destinationId: path.destinationId,
                  action,
                  field: `${hook.name}.${field.key}`,
                  payload: fixed(inputs),
                }}
                field={field}
                labelled
                value={value}
                onChange={set}
                disabled={disabled}
              />
            )}
        />
        {!disabled && (
          <Group gap={12}>
            <Button
              variant="default"
              loading={run.isPending}
              onClick={() =>
                run.mutate(
                  { path: { ...path, hook: hook.name }, body: { inputs, payload: fixed(settings) } },
                  {
                    onSuccess: ({ subscription }) => onKept(hook.name, subscription.settings[hook.name]),
                  },
                )}
            >
              {kept ? "Do it again" : "Do it now"}
            </Button>
            <span className="dim small">Is done at {tool} at once, and kept with the mapping.</span>
          </Group>
        )}
        <ErrorNote error={run.error} />
      </Stack>
    </Section>
  );
}
