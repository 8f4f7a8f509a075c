/** Sending again what was given up on: one discard, or all of a reason; says what it means before it is done. */
import { Button, Group, Modal, Radio } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconRotateClockwise } from "@tabler/icons-react";
import { useState } from "react";
import { useChange } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { count } from "~/parts/format.ts";

export function Redrive(
  { destinationId, name, code, discardId, number, label = "Re-drive", onDone }: {
    destinationId: string;
    /** Of the destination. */
    name: string;
    /** All discards with it; of all codes without. */
    code?: string;
    /** This one alone. */
    discardId?: string;
    /** How many there are about. */
    number?: number;
    label?: string;
    onDone?: () => void;
  },
) {
  const { may } = useSession();
  const [open, setOpen] = useState(false);
  const [mapping, setMapping] = useState<"ANEW" | "AS_IT_WAS">("ANEW");
  const redrive = useChange("redriveDestinationDiscards", [
    "listDestinationDiscards",
    "listDestinationRedrives",
    "getEventDeliveryFromDestination",
    "getDeliveryFunnel",
    "getConnections",
    "traceEvents",
  ]);
  if (!may("destination:write")) return null;
  const what = discardId
    ? "this event"
    : number === undefined
    ? `every event given up on${code ? ` with ${code}` : ""}`
    : `${number === 1 ? "the event" : `${count(number)} events`} given up on${code ? ` with ${code}` : ""}`;
  const run = () =>
    redrive.mutate({
      path: { destinationId },
      body: { ...(discardId ? { discardIds: [discardId] } : { code }), mapping },
    }, {
      onSuccess: () => {
        setOpen(false);
        notifications.show({ message: `${name} gets ${discardId ? "it" : "them"} again.`, color: "teal" });
        onDone?.();
      },
    });
  return (
    <>
      <Button
        variant="default"
        size="compact-sm"
        h={28}
        leftSection={<IconRotateClockwise size={14} />}
        onClick={(event) => {
          event.stopPropagation();
          setOpen(true);
        }}
      >
        {label}
      </Button>
      <Modal
        opened={open}
        onClose={() => setOpen(false)}
        title={`Send ${what} again?`}
      >
        <Radio.Group
          value={mapping}
          onChange={(value) => setMapping(value as "ANEW" | "AS_IT_WAS")}
          aria-label="What is sent"
          mb={12}
        >
          <Radio
            value="ANEW"
            mb={8}
            label="Made anew"
            description="By the filters and mappings of now, so that what was mended is."
          />
          <Radio value="AS_IT_WAS" label="As it was" description="The payload that was made then." />
        </Radio.Group>
        <p className="dim" style={{ margin: 0 }}>
          With all retries from the start. What {name}{" "}
          had taken in spite of its error arrives a second time; what fails again is back among the discards.
        </p>
        <ErrorNote error={redrive.error} />
        <Group justify="flex-end" gap={8} mt={16}>
          <Button variant="default" onClick={() => setOpen(false)}>Cancel</Button>
          <Button onClick={run} loading={redrive.isPending} data-autofocus>Send again</Button>
        </Group>
      </Modal>
    </>
  );
}
