/** How hard, how often and how fast deliveries are tried. Empty fields stay as they are. */
import { Button, Group, NumberInput, SimpleGrid, Stack } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { type FormEvent, useState } from "react";
import { ApiError } from "~/api/client.ts";
import type { Delivery, DestinationView } from "~/api/generated.ts";
import { useChange } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { duration } from "~/parts/format.ts";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { Section } from "~/parts/Section.tsx";

type Key = keyof Delivery;

const FIELDS: { key: Key; label: string; help: string; suffix?: string }[] = [
  { key: "rateLimit", label: "Rate limit", help: "Requests a second; empty for no limit.", suffix: " /s" },
  { key: "concurrency", label: "Concurrency", help: "Requests at the same time." },
  { key: "timeout", label: "Timeout", help: "For one request.", suffix: " s" },
  { key: "maxRetries", label: "Retries", help: "After the first attempt." },
  { key: "retryWindow", label: "Retry window", help: "How long it is tried at all.", suffix: " s" },
  { key: "batchWait", label: "Batch wait", help: "The longest a batch waits to fill.", suffix: " s" },
];

export function DeliveryPolicy({ destination }: { destination: DestinationView }) {
  const { may } = useSession();
  const save = useChange("updateDestination", ["getDestination"]);
  const [policy, setPolicy] = useState(destination.delivery as Delivery);
  const rest = !may("destination:write");
  const error = save.error instanceof ApiError ? save.error : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const changed = FIELDS.filter(({ key }) => policy[key] !== (destination.delivery as Delivery)[key]);
    const delivery = Object.fromEntries(changed.map(({ key }) => [key, policy[key]]));
    save.mutate({ path: { destinationId: destination.id }, body: { delivery } }, {
      onSuccess: () => notifications.show({ message: "Saved. It takes effect within 2 s.", color: "teal" }),
    });
  };
  return (
    <Section title="Delivery" note="How deliveries are tried, and tried again.">
      <form onSubmit={submit}>
        <Stack gap={16} maw={560}>
          <SimpleGrid cols={{ base: 2, sm: 3 }} spacing={16}>
            {FIELDS.map(({ key, label, help, suffix }) => (
              <NumberInput
                key={key}
                label={label}
                description={key === "retryWindow" && policy.retryWindow
                  ? `How long it is tried at all: ${duration(policy.retryWindow * 1000)}.`
                  : help}
                inputWrapperOrder={["label", "input", "description", "error"]}
                suffix={suffix}
                thousandSeparator=","
                min={0}
                disabled={rest}
                error={error?.of(key)}
                value={policy[key] ?? ""}
                onChange={(value) => {
                  const next = value === "" ? (key === "rateLimit" ? null : undefined) : Number(value);
                  setPolicy({ ...policy, [key]: next });
                }}
              />
            ))}
          </SimpleGrid>
          {!error?.problems[0]?.field && <ErrorNote error={save.error} />}
          {!rest && (
            <Group>
              <Button type="submit" variant="default" loading={save.isPending}>Save delivery</Button>
            </Group>
          )}
        </Stack>
      </form>
    </Section>
  );
}
