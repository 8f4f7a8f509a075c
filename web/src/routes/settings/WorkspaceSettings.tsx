/** The workspace's name and slug, and where its audit trail is sent. */
import { Button, Group, Select, Stack, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { type FormEvent, useState } from "react";
import { ApiError } from "~/api/client.ts";
import type { WorkspaceView } from "~/api/generated.ts";
import { useAll, useApi, useChange } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { Copy } from "~/parts/Copy.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { Section } from "~/parts/Section.tsx";

export default function WorkspaceSettings() {
  const { may } = useSession();
  const { data, error } = useApi("getWorkspace", {});
  return (
    <>
      <ErrorNote error={error} />
      {data && <Names key={data.workspace.id} workspace={data.workspace} rest={!may("workspace:write")} />}
      {may("audit:read") && <Forwarding rest={!may("workspace:write")} />}
    </>
  );
}

function Names({ workspace, rest }: { workspace: WorkspaceView; rest: boolean }) {
  const save = useChange("updateWorkspace", ["getWorkspace", "getSession"]);
  const [values, setValues] = useState({ name: workspace.name, slug: workspace.slug });
  const error = save.error instanceof ApiError ? save.error : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate({ body: values }, {
      onSuccess: () => notifications.show({ message: "Saved.", color: "teal" }),
    });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap={16} maw={480} mb={32}>
        <TextInput
          label="Name"
          value={values.name}
          disabled={rest}
          error={error?.of("name")}
          onChange={(event) => setValues({ ...values, name: event.currentTarget.value })}
        />
        <TextInput
          label="Slug"
          description="Names the workspace in files and scripts."
          value={values.slug}
          disabled={rest}
          error={error?.of("slug")}
          onChange={(event) => setValues({ ...values, slug: event.currentTarget.value })}
        />
        <div>
          <div className="dim small">Id</div>
          <Copy value={workspace.id} />
        </div>
        {!error?.problems[0]?.field && <ErrorNote error={save.error} />}
        {!rest && (
          <Group>
            <Button type="submit" loading={save.isPending}>Save</Button>
          </Group>
        )}
      </Stack>
    </form>
  );
}

function Forwarding({ rest }: { rest: boolean }) {
  const { data } = useApi("getAuditForwarding", {});
  const sources = useAll("listSources", {});
  const save = useChange("updateAuditForwarding", ["getAuditForwarding"]);
  return (
    <Section
      title="Audit trail as events"
      note="Each entry of the audit trail can be sent as an event of a source, to any destination."
    >
      <ErrorNote error={save.error} />
      <Select
        label="Source"
        maw={480}
        disabled={rest || save.isPending || !data}
        value={data?.auditForwarding.sourceId ?? ""}
        data={[
          { value: "", label: "None" },
          ...(sources.items ?? []).map((each) => ({ value: each.id, label: each.name || each.slug })),
        ]}
        onChange={(value) => save.mutate({ body: { sourceId: value || null } })}
      />
    </Section>
  );
}
