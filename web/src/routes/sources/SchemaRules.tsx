/** What a source does with what its tracking plan does not have, or says otherwise. */
import { Select, Stack, Switch } from "@mantine/core";
import type { SchemaSettingsView, UpdateSchemaSettings } from "~/api/generated.ts";
import { useAll, useChange } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { Section } from "~/parts/Section.tsx";

export function SchemaRules(
  { sourceId, settings, planned }: { sourceId: string; settings: SchemaSettingsView; planned: boolean },
) {
  const { may } = useSession();
  const save = useChange("updateSchemaSettingsInSource", ["listSchemaSettingsInSource"]);
  const sources = useAll("listSources", {});
  const set = (body: UpdateSchemaSettings) => save.mutate({ path: { sourceId }, body });
  const rest = !may("source:write") || save.isPending;
  const others = [
    { value: "", label: "Nowhere" },
    ...(sources.items ?? []).filter((each) => each.id !== sourceId).map((each) => ({
      value: each.id,
      label: each.name || each.slug,
    })),
  ];
  return (
    <Section
      title="With a tracking plan"
      note={planned
        ? undefined
        : "No tracking plan is connected to this source; these rules hold once one is."}
    >
      <ErrorNote error={save.error} />
      <Stack gap={12} maw={480}>
        <Switch
          label="Let events come that the plan does not have"
          disabled={rest}
          checked={settings.track.allowUnplannedEvents}
          onChange={(event) => set({ track: { allowUnplannedEvents: event.currentTarget.checked } })}
        />
        <Switch
          label="Let properties come that the plan does not have"
          disabled={rest}
          checked={settings.track.allowUnplannedEventProperties}
          onChange={(event) => set({ track: { allowUnplannedEventProperties: event.currentTarget.checked } })}
        />
        <Select
          label="Track calls that violate the plan"
          disabled={rest}
          value={settings.track.commonEventOnViolations}
          data={[
            { value: "ALLOW", label: "Let them come" },
            { value: "OMIT_PROPERTIES", label: "Leave out what is wrong" },
            { value: "BLOCK", label: "Block them" },
          ]}
          onChange={(value) =>
            set({ track: { commonEventOnViolations: value as "ALLOW" | "BLOCK" | "OMIT_PROPERTIES" } })}
        />
        <Select
          label="Send violations to"
          disabled={rest}
          value={settings.forwardingViolationsTo ?? ""}
          data={others}
          onChange={(value) => set({ forwardingViolationsTo: value || null })}
        />
        <Select
          label="Send blocked events to"
          disabled={rest}
          value={settings.forwardingBlockedEventsTo ?? ""}
          data={others}
          onChange={(value) => set({ forwardingBlockedEventsTo: value || null })}
        />
      </Stack>
    </Section>
  );
}
