/** What a function asks for where it is deployed, what it is called, and its limits. */
import { ActionIcon, Button, Checkbox, NumberInput, Select, Stack, Textarea, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { ApiError } from "~/api/client.ts";
import type { FunctionSetting } from "~/api/generated.ts";
import { Section } from "~/parts/Section.tsx";
import type { Draft } from "./draft.ts";
import css from "./SettingsPanel.module.css";

const TYPES = [
  { value: "STRING", label: "Text" },
  { value: "BOOLEAN", label: "Yes or no" },
  { value: "ARRAY", label: "List of texts" },
  { value: "TEXT_MAP", label: "Pairs of texts" },
];

export function SettingsPanel(
  { draft, onChange, error, readOnly, batches }: {
    draft: Draft;
    onChange: (changes: Partial<Draft>) => void;
    error?: unknown;
    readOnly: boolean;
    /** Whether it is a kind that may have onBatch. */
    batches: boolean;
  },
) {
  const said = (field: string) => error instanceof ApiError ? error.of(field) : undefined;
  const set = (at: number, changes: Partial<FunctionSetting>) =>
    onChange({
      settings: draft.settings.map((each, index) => index === at ? { ...each, ...changes } : each),
    });
  return (
    <>
      <Section
        title="Settings"
        note="Values are filled in where the function is deployed; the code reads them as settings.name."
        actions={!readOnly && (
          <Button
            variant="default"
            size="compact-sm"
            h={28}
            leftSection={<IconPlus size={14} />}
            onClick={() =>
              onChange({
                settings: [...draft.settings, {
                  name: "",
                  type: "STRING",
                  required: false,
                  sensitive: false,
                }],
              })}
          >
            Add setting
          </Button>
        )}
      >
        {draft.settings.length === 0 && (
          <p className="dim" style={{ margin: 0 }}>
            None. An address or a token belongs here rather than in the code; sensitive ones are encrypted and
            never shown again.
          </p>
        )}
        {draft.settings.map((each, at) => (
          <fieldset
            key={at}
            className={css.setting}
            disabled={readOnly}
            aria-label={`Setting ${each.name || at + 1}`}
          >
            <div className={css.row}>
              <TextInput
                label="Name"
                value={each.name}
                placeholder="apiKey"
                error={said(`settings.${at}.name`) ?? said(`settings[${at}].name`)}
                onChange={(event) => set(at, { name: event.currentTarget.value })}
                styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: 12.5 } }}
              />
              <TextInput
                label="Label"
                value={each.label ?? ""}
                onChange={(event) => set(at, { label: event.currentTarget.value })}
              />
              <Select
                label="Type"
                data={TYPES}
                value={each.type}
                onChange={(type) => set(at, { type: (type ?? "STRING") as FunctionSetting["type"] })}
              />
              <ActionIcon
                aria-label={`Remove ${each.name || "the setting"}`}
                disabled={readOnly}
                onClick={() => onChange({ settings: draft.settings.filter((_, index) => index !== at) })}
                mb={4}
              >
                <IconTrash size={16} />
              </ActionIcon>
            </div>
            <TextInput
              aria-label={`Description of ${each.name || "the setting"}`}
              placeholder="Description"
              value={each.description ?? ""}
              onChange={(event) => set(at, { description: event.currentTarget.value })}
              mt={8}
            />
            <div className={css.flags}>
              <Checkbox
                size="xs"
                label="Required"
                checked={each.required ?? false}
                onChange={(event) => set(at, { required: event.currentTarget.checked })}
              />
              <Checkbox
                size="xs"
                label="Sensitive: encrypted, never shown"
                checked={each.sensitive ?? false}
                onChange={(event) => set(at, { sensitive: event.currentTarget.checked })}
              />
            </div>
          </fieldset>
        ))}
      </Section>
      <Section title="About it">
        <Stack gap={12} maw={480}>
          <TextInput
            label="Name"
            value={draft.displayName}
            error={said("displayName")}
            disabled={readOnly}
            onChange={(event) => onChange({ displayName: event.currentTarget.value })}
          />
          <Textarea
            label="Description"
            autosize
            minRows={2}
            value={draft.description}
            disabled={readOnly}
            onChange={(event) => onChange({ description: event.currentTarget.value })}
          />
          {batches && (
            <NumberInput
              label="Events in a batch, at most"
              description="What onBatch is given at once, if there is one."
              min={1}
              max={400}
              value={draft.batchMaxCount}
              error={said("batchMaxCount")}
              disabled={readOnly}
              onChange={(value) => onChange({ batchMaxCount: Number(value) || 1 })}
            />
          )}
          <NumberInput
            label="Hours a month, at most"
            description="Of run time; then it is locked out until the next month. Empty: no limit of its own."
            min={0}
            value={draft.monthlyHours ?? ""}
            error={said("monthlyHours")}
            disabled={readOnly}
            onChange={(value) => onChange({ monthlyHours: value === "" ? null : Number(value) })}
          />
        </Stack>
      </Section>
    </>
  );
}
