/** Save and deploy: what will change where, before it is done. */
import { Button, Group, Modal } from "@mantine/core";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { StateIcon } from "~/parts/StateChip.tsx";
import type { Instance } from "./kinds.ts";

export function Deploy(
  { open, unsaved, next, deployed, instances, busy, error, onClose, onDeploy }: {
    open: boolean;
    unsaved: boolean;
    /** Number of the version that will run. */
    next: number | undefined;
    deployed: number | undefined;
    instances: Instance[];
    busy: boolean;
    error: unknown;
    onClose: () => void;
    onDeploy: () => void;
  },
) {
  return (
    <Modal
      opened={open}
      onClose={onClose}
      title={unsaved ? "Save and deploy" : "Deploy"}
      styles={{ title: { fontWeight: 600 } }}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <p style={{ marginTop: 0 }}>
        {next ? <>Version {next}</> : "The saved version"} will run
        {deployed ? <>{" "}in place of version {deployed}</> : " for the first time"}
        {instances.length ? ", here:" : "."}
      </p>
      {instances.length > 0
        ? (
          <ul style={{ listStyle: "none", margin: "0 0 16px", padding: 0, maxHeight: 240, overflow: "auto" }}>
            {instances.map((each) => (
              <li key={each.id} style={{ padding: "4px 0" }}>
                <StateIcon
                  state={each.enabled ? "delivered" : "filtered"}
                  label={each.enabled ? "Enabled" : "Disabled"}
                />{" "}
                {each.name}
              </li>
            ))}
          </ul>
        )
        : (
          <p className="dim">
            It is connected to nothing yet. Deployed, it is in the catalogue, and can be.
          </p>
        )}
      <p className="dim small">
        It takes effect within 2 s; invocations under way end on the old version. All instances of a function
        run the same version: to try another beside it, make a second function.
      </p>
      <ErrorNote error={error} />
      <Group justify="flex-end" gap={8} mt={16}>
        <Button variant="default" onClick={onClose}>Cancel</Button>
        <Button onClick={onDeploy} loading={busy} data-autofocus>
          {unsaved ? "Save and deploy" : "Deploy"}
        </Button>
      </Group>
    </Modal>
  );
}
