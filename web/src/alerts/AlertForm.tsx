/** An alert, new or changed: what it is about, when it is raised, and where that is said. */
import { ActionIcon, Button, Group, NumberInput, Select, Stack, Switch, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { ApiError } from "~/api/client.ts";
import type { AlertView, Channel } from "~/api/generated.ts";
import { useApi, useChange } from "~/api/hooks.ts";
import { useConnections } from "~/delivery/connections.ts";
import { ConfirmByName } from "~/parts/ConfirmByName.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { SidePanel } from "~/parts/SidePanel.tsx";
import { StateIcon } from "~/parts/StateChip.tsx";
import { CHANNELS, type Type, typeOf, TYPES } from "./words.ts";

const RENEWS = ["listAlerts", "listNotifications"] as const;

export function AlertForm({ alert, onClose }: { alert: AlertView | undefined; onClose: () => void }) {
  const types = useApi("listAlertTypes", {}).data?.alertTypes;
  const { sources, destinations } = useConnections();
  const [values, setValues] = useState({
    name: alert?.name ?? "",
    type: alert?.type ?? "DELIVERY_RATE" as Type,
    sourceId: alert?.sourceId ?? "",
    destinationId: alert?.destinationId ?? "",
    threshold: alert?.threshold,
    minutes: alert?.minutes,
    enabled: alert?.enabled ?? true,
    channels: (alert?.channels ?? [{ type: "IN_APP", address: null }]) as Channel[],
  });
  const [deleting, setDeleting] = useState(false);
  const create = useChange("createAlert", [...RENEWS]);
  const update = useChange("updateAlert", [...RENEWS]);
  const remove = useChange("deleteAlert", [...RENEWS]);
  const test = useChange("testAlert");
  const set = (changes: Partial<typeof values>) => setValues((now) => ({ ...now, ...changes }));
  const setChannel = (at: number, changes: Partial<Channel>) =>
    set({ channels: values.channels.map((each, index) => index === at ? { ...each, ...changes } : each) });
  const kind = typeOf(types, values.type);
  const words = TYPES[values.type];
  const error = create.error ?? update.error;
  const said = (field: string) => error instanceof ApiError ? error.of(field) : undefined;
  const placed = ["name", "threshold", "minutes"].some(said);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const body = {
      name: values.name || words.title,
      sourceId: values.sourceId || null,
      destinationId: values.destinationId || null,
      threshold: words.threshold ? values.threshold ?? kind?.threshold : undefined,
      minutes: words.minutes ? values.minutes ?? kind?.minutes : undefined,
      enabled: values.enabled,
      channels: values.channels.map((each) => ({
        ...each,
        address: each.type === "IN_APP" ? null : each.address,
      })),
    };
    const done = {
      onSuccess: () => {
        notifications.show({ message: alert ? "Saved." : "The alert watches from now on.", color: "teal" });
        onClose();
      },
    };
    if (alert) update.mutate({ path: { alertId: alert.id }, body }, done);
    else create.mutate({ body: { ...body, type: values.type } }, done);
  };
  return (
    <SidePanel open onClose={onClose} title={alert ? alert.name : "New alert"} width={520}>
      <form onSubmit={submit}>
        <Stack gap={16}>
          <Select
            label="When"
            description={kind?.description.replace("`threshold`", "so many").replace("`minutes`", "minutes")}
            data={Object.entries(TYPES).map(([value, { title }]) => ({ value, label: title }))}
            value={values.type}
            disabled={!!alert}
            onChange={(type) => set({ type: type as Type, threshold: undefined, minutes: undefined })}
          />
          {(words.threshold || words.minutes) && (
            <Group gap={12} grow align="start">
              {words.threshold && (
                <NumberInput
                  label={words.threshold}
                  suffix={` ${words.unit}`}
                  min={kind?.leastThreshold}
                  max={kind?.mostThreshold}
                  value={values.threshold ?? kind?.threshold ?? ""}
                  error={said("threshold")}
                  onChange={(value) => set({ threshold: value === "" ? undefined : Number(value) })}
                />
              )}
              {words.minutes && (
                <NumberInput
                  label={words.minutes}
                  suffix=" min"
                  min={1}
                  thousandSeparator=","
                  value={values.minutes ?? kind?.minutes ?? ""}
                  error={said("minutes")}
                  onChange={(value) => set({ minutes: value === "" ? undefined : Number(value) })}
                />
              )}
            </Group>
          )}
          {(kind?.about === "SOURCE" || kind?.about === "DESTINATION") && (
            <Select
              label="Of source"
              searchable={(sources?.length ?? 0) > 8}
              value={values.sourceId}
              onChange={(value) => set({ sourceId: value ?? "", destinationId: "" })}
              data={[
                { value: "", label: "Any" },
                ...(sources ?? []).map((each) => ({ value: each.id, label: each.name || each.slug })),
              ]}
            />
          )}
          {kind?.about === "DESTINATION" && (
            <Select
              label="Of destination"
              searchable={destinations.length > 8}
              value={values.destinationId}
              onChange={(value) => set({ destinationId: value ?? "" })}
              data={[
                { value: "", label: "Any" },
                ...destinations.filter((each) => !values.sourceId || each.sourceId === values.sourceId)
                  .map((each) => ({ value: each.id, label: each.name || each.kindName })),
              ]}
            />
          )}
          <TextInput
            label="Name"
            placeholder={words.title}
            value={values.name}
            error={said("name")}
            onChange={(event) => set({ name: event.currentTarget.value })}
          />
          <fieldset style={{ border: 0, margin: 0, padding: 0, minWidth: 0 }}>
            <legend style={{ fontSize: 13, fontWeight: 500, padding: 0, marginBottom: 4 }}>Say it</legend>
            {values.channels.map((each, at) => (
              <Group key={at} gap={8} mb={8} wrap="nowrap">
                <Select
                  aria-label={`Channel ${at + 1}`}
                  w={128}
                  data={Object.entries(CHANNELS).map(([value, { label }]) => ({ value, label }))}
                  value={each.type}
                  onChange={(type) => setChannel(at, { type: type as Channel["type"], address: null })}
                />
                {each.type === "IN_APP"
                  ? <span className="dim" style={{ flex: 1 }}>shown on this page</span>
                  : (
                    <TextInput
                      aria-label={`Address of channel ${at + 1}`}
                      placeholder={CHANNELS[each.type].address}
                      value={each.address ?? ""}
                      onChange={(event) => setChannel(at, { address: event.currentTarget.value })}
                      style={{ flex: 1 }}
                    />
                  )}
                <ActionIcon
                  aria-label={`Remove channel ${at + 1}`}
                  onClick={() => set({ channels: values.channels.filter((_, index) => index !== at) })}
                >
                  <IconTrash size={16} />
                </ActionIcon>
              </Group>
            ))}
            <Button
              variant="default"
              size="compact-sm"
              h={28}
              leftSection={<IconPlus size={14} />}
              onClick={() => set({ channels: [...values.channels, { type: "EMAIL", address: "" }] })}
            >
              Add channel
            </Button>
          </fieldset>
          <Switch
            label="Enabled"
            checked={values.enabled}
            onChange={(event) => set({ enabled: event.currentTarget.checked })}
          />
          {!placed && <ErrorNote error={error} />}
          <ErrorNote error={test.error} />
          {test.data?.test.map((each, at) => (
            <div key={at}>
              <StateIcon state={each.sent ? "delivered" : "discarded"} label="" />{" "}
              {CHANNELS[each.type].label}: {each.sent ? "said" : each.error}
            </div>
          ))}
          <Group justify="flex-end" gap={8}>
            {alert && (
              <>
                <Button
                  variant="subtle"
                  color="red"
                  mr="auto"
                  onClick={() => setDeleting(true)}
                >
                  Delete
                </Button>
                <Button
                  variant="default"
                  loading={test.isPending}
                  onClick={() => test.mutate({ path: { alertId: alert.id } })}
                >
                  Send a test
                </Button>
              </>
            )}
            <Button type="submit" loading={create.isPending || update.isPending}>
              {alert ? "Save" : "Create alert"}
            </Button>
          </Group>
        </Stack>
      </form>
      {alert && (
        <ConfirmByName
          name={alert.name}
          title="Delete this alert?"
          action="Delete alert"
          open={deleting}
          onClose={() => setDeleting(false)}
          onConfirm={() => remove.mutate({ path: { alertId: alert.id } }, { onSuccess: onClose })}
          busy={remove.isPending}
          error={remove.error}
        >
          Nobody is told of this any more. What it said stays listed for 31 days.
        </ConfirmByName>
      )}
    </SidePanel>
  );
}
