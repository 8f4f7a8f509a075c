/** A new function: of which kind, from which template, under which name. Open while `new` is in the address. */
import { Button, Group, SegmentedControl, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { ApiError } from "~/api/client.ts";
import { useApi, useChange } from "~/api/hooks.ts";
import type { FunctionSetting } from "~/api/generated.ts";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { SidePanel } from "~/parts/SidePanel.tsx";
import css from "./Create.module.css";
import { type Kind, KINDS } from "./kinds.ts";

const EMPTY: Record<Kind, string> = {
  DESTINATION: `async function onTrack(event, settings) {
  const response = await fetch('https://example.com/events', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(event)
  })
  if (response.status === 429 || response.status >= 500) throw new RetryError(\`HTTP \${response.status}\`)
  if (!response.ok) throw new Error(\`HTTP \${response.status}\`)
}
`,
  INSERT_DESTINATION: `async function onTrack(event, settings) {
  if (!event.userId) throw new DropEvent('nobody is signed in')
  return event
}
`,
  SOURCE: `async function onRequest(request, settings) {
  const body = request.json()
  Segment.track({ event: 'Webhook Received', userId: String(body.id), properties: body })
}
`,
  INSERT_SOURCE: `async function onTrack(event, settings) {
  return event
}
`,
};

export function Create(
  { kind, onKind, onClose }: { kind: Kind; onKind: (kind: Kind) => void; onClose: () => void },
) {
  const navigate = useNavigate();
  const templates = useApi("listFunctionTemplates", {});
  const create = useChange("createFunction", ["listFunctions"]);
  const [name, setName] = useState("");
  const [slug, setSlug] = useState("");
  const its = templates.data?.templates.filter((each) => each.resourceType === kind) ?? [];
  const chosen = its.find((each) => each.slug === slug);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({
      body: {
        displayName: name.trim() || chosen?.title || "",
        resourceType: kind,
        code: chosen?.code ?? EMPTY[kind],
        settings: (chosen?.settings ?? []) as unknown as FunctionSetting[],
        description: chosen?.description,
      },
    }, {
      onSuccess: ({ function: made }) =>
        void navigate({ to: "/functions/$functionId", params: { functionId: made.id } }),
    });
  };
  const error = create.error;
  return (
    <SidePanel open onClose={onClose} title="New function">
      <form onSubmit={submit}>
        <div style={{ overflowX: "auto" }}>
          <SegmentedControl
            aria-label="Kind"
            value={kind}
            onChange={(value) => {
              onKind(value as Kind);
              setSlug("");
            }}
            data={(Object.keys(KINDS) as Kind[]).map((value) => ({ value, label: KINDS[value].word }))}
          />
        </div>
        <p className="dim" style={{ margin: "8px 0 16px" }}>{KINDS[kind].does}</p>
        <TextInput
          label="Name"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          placeholder={chosen?.title}
          required={!chosen}
          error={error instanceof ApiError ? error.of("displayName") : undefined}
          data-autofocus
          mb={16}
        />
        <fieldset className={css.templates}>
          <legend>Start from</legend>
          {[{ slug: "", title: "A few lines", description: "One handler, to write on from." }, ...its].map((
            each,
          ) => (
            <label key={each.slug} className={css.template}>
              <input
                type="radio"
                name="template"
                value={each.slug}
                checked={slug === each.slug}
                onChange={() => setSlug(each.slug)}
              />
              <span>
                <b>{each.title}</b>
                <span className="dim small">{each.description}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <ErrorNote error={error instanceof ApiError && error.of("displayName") ? undefined : error} />
        <Group justify="flex-end" mt={16}>
          <Button type="submit" loading={create.isPending}>Create function</Button>
        </Group>
      </form>
    </SidePanel>
  );
}
