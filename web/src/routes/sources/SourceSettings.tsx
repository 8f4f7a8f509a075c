/** A source's name, slug, rate limit and settings; switching it off; deleting it. */
import { Button, Group, NumberInput, Stack, Switch, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { ApiError } from "~/api/client.ts";
import type { SourceView } from "~/api/generated.ts";
import { useChange } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { ConfirmByName } from "~/parts/ConfirmByName.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { FieldForm } from "~/parts/FieldForm.tsx";
import { optionFields } from "~/parts/fields.ts";
import { Section } from "~/parts/Section.tsx";
import { useFlow } from "../home/flow.ts";
import { useSource } from "./source.ts";

export default function SourceSettings() {
  const { source } = useSource();
  return source ? <Form key={source.id} source={source} /> : null;
}

function Form({ source }: { source: SourceView }) {
  const { may } = useSession();
  const navigate = useNavigate();
  const save = useChange("updateSource", ["getSource", "listSources", "getConnections"]);
  const remove = useChange("deleteSource", ["listSources", "getConnections"]);
  const [values, setValues] = useState({
    name: source.name,
    slug: source.slug,
    rateLimit: source.rateLimit ?? undefined,
    settings: source.settings,
  });
  const [deleting, setDeleting] = useState(false);
  const to = useFlow().destinationsOf(source.id);
  const path = { sourceId: source.id };
  const rest = !may("source:write");
  const fields = optionFields(source.metadata.options);
  const error = save.error instanceof ApiError ? save.error : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { name, slug, rateLimit, settings } = values;
    save.mutate({
      path,
      body: { name, slug, rateLimit: rateLimit ?? null, ...(fields.length ? { settings } : {}) },
    }, {
      onSuccess: () => notifications.show({ message: "Saved. It takes effect within 2 s.", color: "teal" }),
    });
  };
  return (
    <>
      <form onSubmit={submit}>
        <Stack gap={16} maw={480} mb={32}>
          <TextInput
            label="Name"
            value={values.name}
            error={error?.of("name")}
            disabled={rest}
            onChange={(event) => setValues({ ...values, name: event.currentTarget.value })}
          />
          <TextInput
            label="Slug"
            description="Names the source in files and scripts."
            value={values.slug}
            error={error?.of("slug")}
            disabled={rest}
            onChange={(event) => setValues({ ...values, slug: event.currentTarget.value })}
          />
          <NumberInput
            label="Rate limit"
            description="Requests a second; beyond it SDKs are told to wait. Empty: no limit."
            min={1}
            value={values.rateLimit ?? ""}
            error={error?.of("rateLimit")}
            disabled={rest}
            onChange={(value) =>
              setValues({ ...values, rateLimit: value === "" ? undefined : Number(value) })}
          />
          <FieldForm
            fields={fields}
            values={values.settings}
            error={save.error}
            disabled={rest}
            onChange={(settings) => setValues({ ...values, settings })}
          />
          {!error?.problems[0]?.field && <ErrorNote error={save.error} />}
          {!rest && (
            <Group>
              <Button type="submit" loading={save.isPending}>Save</Button>
            </Group>
          )}
        </Stack>
      </form>
      {!rest && (
        <>
          <Section title="Accept events">
            <Switch
              label={source.enabled ? "Events are accepted" : "Events are discarded"}
              description="While off, SDKs get their 200 and the events are discarded. It takes effect within 2 s."
              checked={source.enabled}
              disabled={save.isPending}
              onChange={(event) => save.mutate({ path, body: { enabled: event.currentTarget.checked } })}
            />
          </Section>
          <Section title="Delete">
            <Button color="red" variant="outline" onClick={() => setDeleting(true)}>Delete source…</Button>
          </Section>
        </>
      )}
      <ConfirmByName
        name={source.slug}
        title={`Delete ${source.name || source.slug}`}
        action="Delete source"
        open={deleting}
        onClose={() => setDeleting(false)}
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate({ path }, { onSuccess: () => void navigate({ to: "/sources" }) })}
      >
        Its write keys stop working{to.length
          ? `, and ${to.map((each) => each.name || each.kindName).join(", ")} ${
            to.length === 1 ? "is" : "are"
          } deleted with it`
          : ""}. What is not delivered yet is not delivered any more.
      </ConfirmByName>
    </>
  );
}
