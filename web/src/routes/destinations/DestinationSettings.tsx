/** A destination's name and settings, whether its tool takes them, its delivery policy, and deleting it. */
import { Button, Group, Stack, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { ApiError } from "~/api/client.ts";
import type { DestinationView } from "~/api/generated.ts";
import { useChange } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { ConfirmByName } from "~/parts/ConfirmByName.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { FieldForm } from "~/parts/FieldForm.tsx";
import { defaults, optionFields } from "~/parts/fields.ts";
import { Section } from "~/parts/Section.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import { Audiences } from "./Audiences.tsx";
import { DeliveryPolicy } from "./DeliveryPolicy.tsx";
import { useDestination } from "./destination.ts";
import { ExchangeView } from "~/delivery/Exchange.tsx";
import { SetUp } from "./SetUp.tsx";

export default function DestinationSettings() {
  const { destination } = useDestination();
  return destination ? <Form key={destination.id} destination={destination} /> : null;
}

function Form({ destination }: { destination: DestinationView }) {
  const { may } = useSession();
  const navigate = useNavigate();
  const renews = ["getDestination", "listDestinations", "getConnections"] as const;
  const save = useChange("updateDestination", [...renews]);
  const test = useChange("testDestinationConnection");
  const remove = useChange("deleteDestination", ["listDestinations", "getConnections"]);
  const fields = optionFields(destination.metadata.options);
  const [name, setName] = useState(destination.name);
  const [settings, setSettings] = useState({ ...defaults(fields), ...destination.settings });
  const [deleting, setDeleting] = useState(false);
  const path = { destinationId: destination.id };
  const rest = !may("destination:write");
  const error = save.error instanceof ApiError ? save.error : undefined;
  const placed = error?.problems[0]?.field;
  const keep = async () => {
    const answer = await save.mutateAsync({ path, body: { name, ...(fields.length ? { settings } : {}) } });
    setSettings({ ...defaults(fields), ...answer.destination.settings }); // what was typed into a secret is gone
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    keep().then(
      () => notifications.show({ message: "Saved. It takes effect within 2 s.", color: "teal" }),
      () => {},
    );
  };
  const tested = test.data?.connection;
  const { audiences } = destination.metadata.onward;
  return (
    <>
      {!destination.enabled && <SetUp destination={destination} />}
      <form onSubmit={submit}>
        <Stack gap={16} maw={560} mb={32}>
          <TextInput
            label="Name"
            value={name}
            error={error?.of("name")}
            disabled={rest}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <FieldForm
            fields={fields}
            values={settings}
            error={save.error}
            disabled={rest}
            onChange={(values) => {
              setSettings(values);
              test.reset();
            }}
          />
          {fields.length === 0 && (
            <p className="dim" style={{ margin: 0 }}>
              {destination.metadata.name} has no settings; everything it needs is in its mappings.
            </p>
          )}
          {!placed && <ErrorNote error={save.error} />}
          {!rest && (
            <Group gap={8}>
              <Button type="submit" loading={save.isPending}>Save</Button>
              {destination.metadata.onward.connectionTest && (
                <Button
                  variant="default"
                  loading={test.isPending}
                  onClick={() => keep().then(() => test.mutate({ path }), () => {})}
                >
                  Save and test connection
                </Button>
              )}
            </Group>
          )}
          <ErrorNote error={test.error} />
          {tested && (
            <Stack gap={8} aria-live="polite">
              <Group gap={8}>
                <StateChip
                  state={tested.status === "CONNECTED"
                    ? "delivered"
                    : tested.status === "FAILED"
                    ? "discarded"
                    : "filtered"}
                >
                  {tested.status === "CONNECTED"
                    ? "Connected"
                    : tested.status === "FAILED"
                    ? "Refused"
                    : "Can't be tested"}
                </StateChip>
                <span style={{ overflowWrap: "anywhere" }}>{tested.message}</span>
              </Group>
              {tested.exchanges.map((each, at) => <ExchangeView key={at} exchange={each} open={false} />)}
            </Stack>
          )}
        </Stack>
      </form>
      {audiences && !rest && <Audiences destination={destination} audiences={audiences} />}
      <DeliveryPolicy destination={destination} />
      {!rest && (
        <Section title="Delete">
          <Button color="red" variant="outline" onClick={() => setDeleting(true)}>Delete destination…</Button>
        </Section>
      )}
      <ConfirmByName
        name={destination.name || destination.metadata.name}
        title={`Delete ${destination.name || destination.metadata.name}`}
        action="Delete destination"
        open={deleting}
        onClose={() => setDeleting(false)}
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate({ path }, { onSuccess: () => void navigate({ to: "/destinations" }) })}
      >
        Its mappings and filters are deleted with it. What is not delivered yet is not delivered any more.
      </ConfirmByName>
    </>
  );
}
