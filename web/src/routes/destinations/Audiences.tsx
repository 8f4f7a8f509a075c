/** Lists of people that the tool keeps: one is made or looked up there, and events name it by its id. */
import { Button, Group, Stack, TextInput } from "@mantine/core";
import { type FormEvent, useMemo, useState } from "react";
import type { AudiencesView, DestinationView } from "~/api/generated.ts";
import { useChange } from "~/api/hooks.ts";
import { Snippet } from "~/parts/Copy.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { FieldForm } from "~/parts/FieldForm.tsx";
import { actionFields, defaults } from "~/parts/fields.ts";
import { Section } from "~/parts/Section.tsx";
import { StateChip } from "~/parts/StateChip.tsx";

export function Audiences({ destination, audiences }: {
  destination: DestinationView;
  audiences: AudiencesView;
}) {
  const fields = useMemo(() => actionFields(audiences.fields), [audiences]);
  const [name, setName] = useState("");
  const [id, setId] = useState("");
  const [settings, setSettings] = useState(() => defaults(fields));
  const create = useChange("createDestinationAudience");
  const find = useChange("getDestinationAudience");
  const path = { destinationId: destination.id };
  const tool = destination.metadata.name;
  const make = (event: FormEvent) => {
    event.preventDefault();
    find.reset();
    create.mutate({ path, body: { name, settings } });
  };
  const lookUp = (event: FormEvent) => {
    event.preventDefault();
    create.reset();
    find.mutate({ path: { ...path, externalId: id }, query: { settings: JSON.stringify(settings) } });
  };
  const found = create.data?.audience ?? find.data?.audience;
  return (
    <Section
      title="Audiences"
      note={`${tool} keeps lists of people. Make one there, or look one up, and name it in your events.`}
    >
      <Stack gap={16} maw={560}>
        <form onSubmit={make}>
          <Stack gap={16}>
            <FieldForm fields={fields} values={settings} onChange={setSettings} />
            <Group gap={8} align="end" wrap="nowrap">
              <TextInput
                label="Name of a new list"
                required
                withAsterisk={false}
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
                style={{ flex: 1 }}
              />
              <Button type="submit" variant="default" loading={create.isPending}>Make list</Button>
            </Group>
          </Stack>
        </form>
        <form onSubmit={lookUp}>
          <Group gap={8} align="end" wrap="nowrap">
            <TextInput
              label="Id of a list that there is"
              required
              withAsterisk={false}
              value={id}
              onChange={(event) => setId(event.currentTarget.value)}
              style={{ flex: 1 }}
            />
            <Button type="submit" variant="default" loading={find.isPending}>Look up</Button>
          </Group>
        </form>
        <ErrorNote error={create.error ?? find.error} />
        {found && (
          <Stack gap={8} role="status">
            <StateChip state="delivered">{create.data ? "Made" : "There is"}: {found.externalId}</StateChip>
            <span className="dim">Events that are about this list have, beside the person's id:</span>
            <Snippet code={personas(found.externalId, settings)} label="Copy context" />
          </Stack>
        )}
      </Stack>
    </Section>
  );
}

/** Where mappings look for it, as Segment's own audiences put it. */
function personas(externalId: string, settings: Record<string, unknown>): string {
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== ""));
  return JSON.stringify(
    { context: { personas: { external_audience_id: externalId, audience_settings: given } } },
    null,
    2,
  );
}
