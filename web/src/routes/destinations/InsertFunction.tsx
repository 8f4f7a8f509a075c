/** The function that changes events on their way to this destination: connect one, set it, switch it. */
import { ActionIcon, Button, Group, Menu, Modal, Select, Stack, Switch, TextInput } from "@mantine/core";
import { IconCode, IconDots, IconPlus } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { ApiError } from "~/api/client.ts";
import type { FunctionSetting, InstanceView } from "~/api/generated.ts";
import { useAll, useApi, useChange } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { useAddress } from "~/parts/address.ts";
import { ConfirmByName } from "~/parts/ConfirmByName.tsx";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { FieldForm } from "~/parts/FieldForm.tsx";
import type { FormField } from "~/parts/fields.ts";
import { LinkButton } from "~/parts/LinkButton.tsx";
import { Running } from "~/functions/Running.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import { useDestination } from "./destination.ts";
import css from "./Overview.module.css";

const RENEWS = ["listInsertFunctionInstances"] as const;

export default function InsertFunction() {
  const { destination, destinationId } = useDestination();
  const { may } = useSession();
  const { items, error, refetch } = useAll("listInsertFunctionInstances", {}, {
    enabled: may("function:read"),
  });
  const functions = useAll(
    "listFunctions",
    { query: { resourceType: "INSERT_DESTINATION" } },
    { enabled: may("function:read") },
  );
  const [opened, setOpened] = useAddress("instance", "");
  const [removing, setRemoving] = useState<InstanceView>();
  const update = useChange("updateInsertFunctionInstance", [...RENEWS]);
  const remove = useChange("deleteInsertFunctionInstance", [...RENEWS]);
  const rest = !may("destination:write") || !may("function:write");
  if (!may("function:read")) {
    return <EmptyState icon={IconCode} title="Functions are not shared with you" />;
  }
  const refusal = destination?.metadata.onward.insertRefusal;
  const mine = items?.filter((each) => each.integrationId === destinationId);
  const nameOf = (each: InstanceView) =>
    functions.items?.find(({ id }) => id === each.classId)?.displayName ?? each.classId;
  const open = mine?.find((each) => each.id === opened);
  return (
    <>
      <ErrorNote error={error ?? functions.error} retry={refetch} />
      <ErrorNote error={update.error} />
      {mine?.length === 0 && refusal && (
        <EmptyState icon={IconCode} title="It takes no insert function">
          {destination.metadata.name} can have none:{" "}
          {refusal}. Insert functions stand before destinations of events.
        </EmptyState>
      )}
      {mine?.length === 0 && !refusal && (
        <EmptyState
          icon={IconCode}
          title="No insert function"
          action={!rest && (functions.items?.length
            ? (
              <Button leftSection={<IconPlus size={16} />} onClick={() => setOpened("new")}>
                Connect a function
              </Button>
            )
            : (
              <LinkButton to="/functions" leftSection={<IconPlus size={16} />}>
                Write an insert function
              </LinkButton>
            ))}
        >
          An insert function is code of your own that sees each event after the filters and before the
          mappings: it can change it, complete it from elsewhere, or drop it.
        </EmptyState>
      )}
      {mine && mine.length > 0 && (
        <div className="panel">
          {mine.map((each) => (
            <div
              key={each.id}
              className={css.row}
              style={{ gridTemplateColumns: "minmax(0, 1fr) auto auto auto" }}
            >
              <span className="cut">
                <span style={{ fontWeight: 500 }}>{each.name}</span>{" "}
                <Link to="/functions/$functionId" params={{ functionId: each.classId }}>
                  {nameOf(each) === each.name ? "Code" : nameOf(each)}
                </Link>{" "}
                {each.version && <Running version={each.version} />}
              </span>
              {each.enabled
                ? <StateChip state="delivered">Enabled</StateChip>
                : <StateChip state="filtered">Disabled</StateChip>}
              <Switch
                aria-label={`Enable ${each.name}`}
                checked={each.enabled}
                disabled={rest || update.isPending}
                onChange={(event) =>
                  update.mutate({
                    path: { instanceId: each.id },
                    body: { enabled: event.currentTarget.checked },
                  })}
              />
              <Menu position="bottom-end" disabled={rest}>
                <Menu.Target>
                  <ActionIcon aria-label={`More for ${each.name}`}>
                    <IconDots size={16} />
                  </ActionIcon>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item onClick={() => setOpened(each.id)}>Settings</Menu.Item>
                  <Menu.Item color="red" onClick={() => setRemoving(each)}>Disconnect…</Menu.Item>
                </Menu.Dropdown>
              </Menu>
            </div>
          ))}
        </div>
      )}
      {destination && (opened === "new" || open) && (
        <Instance
          key={opened}
          destinationId={destinationId}
          instance={open}
          functions={(functions.items ?? []).map((each) => ({ value: each.id, label: each.displayName }))}
          onClose={() => setOpened("")}
        />
      )}
      <ConfirmByName
        name={removing?.name ?? ""}
        title={`Disconnect ${removing?.name}`}
        action="Disconnect function"
        open={!!removing}
        onClose={() => setRemoving(undefined)}
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() =>
          remove.mutate({ path: { instanceId: removing!.id } }, { onSuccess: () => setRemoving(undefined) })}
      >
        Events go to {destination?.name || destination?.metadata.name}{" "}
        as they are from then on. The function itself stays.
      </ConfirmByName>
    </>
  );
}

function Instance({ destinationId, instance, functions, onClose }: {
  destinationId: string;
  instance?: InstanceView;
  functions: { value: string; label: string }[];
  onClose: () => void;
}) {
  const [functionId, setFunctionId] = useState(instance?.classId ?? functions[0]?.value ?? "");
  const found = useApi("getFunction", { path: { functionId } }, { enabled: functionId !== "" });
  const of = found.data?.function;
  // What is there has the settings of the version that it runs, and what is new those of the deployed one.
  const versionId = instance?.version?.versionId ?? of?.deployedVersionId ?? "";
  const version = useApi("getFunctionVersion", { path: { functionId, versionId } }, {
    enabled: versionId !== "",
  });
  const asked = versionId === "" ? of?.settings : version.data?.version.settings;
  const [name, setName] = useState(instance?.name ?? "");
  const [settings, setSettings] = useState<Record<string, unknown>>({
    ...instance?.settings,
    ...instance?.encryptedSettings,
  });
  const create = useChange("createInsertFunctionInstance", [...RENEWS]);
  const update = useChange("updateInsertFunctionInstance", [...RENEWS]);
  const failure = create.error ?? update.error;
  const error = failure instanceof ApiError ? failure : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const done = { onSuccess: onClose };
    const called = name || of?.displayName || "";
    if (instance) {
      update.mutate({ path: { instanceId: instance.id }, body: { name: called, settings } }, done);
    } else {
      create.mutate({
        body: { functionId, integrationId: destinationId, name: called, settings, enabled: true },
      }, done);
    }
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={instance ? instance.name : "Connect a function"}
      size={520}
      styles={{ title: { fontWeight: 600 } }}
    >
      <form onSubmit={submit}>
        <Stack gap={16}>
          {!instance && (
            <Select
              label="Function"
              searchable
              value={functionId}
              data={functions}
              error={error?.of("functionId")}
              onChange={(value) => {
                setFunctionId(value ?? "");
                setSettings({});
              }}
            />
          )}
          <TextInput
            label="Name"
            placeholder={of?.displayName}
            value={name}
            error={error?.of("name")}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <ErrorNote error={found.error ?? version.error} />
          {asked && (
            <FieldForm
              fields={settingFields(asked)}
              values={settings}
              onChange={setSettings}
              error={failure}
            />
          )}
          {!error?.problems[0]?.field && <ErrorNote error={failure} />}
          <Group justify="flex-end" gap={8}>
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button type="submit" disabled={!asked} loading={create.isPending || update.isPending}>
              {instance ? "Save" : "Connect"}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function settingFields(settings: FunctionSetting[]): FormField[] {
  return settings.map((each) => ({
    key: each.name,
    label: each.label || each.name,
    help: each.description ?? "",
    kind: each.sensitive
      ? "secret"
      : each.type === "BOOLEAN"
      ? "boolean"
      : each.type === "TEXT_MAP"
      ? "json"
      : "string",
    required: each.required ?? false,
    multiple: each.type === "ARRAY",
    choices: [],
    dynamic: false,
    placeholder: "",
    readOnly: false,
    fallback: null,
  }));
}
