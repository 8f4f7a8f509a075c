/** A dialog that asks for something: fields, what went wrong, and the button that does it beside Cancel. */
import { Button, Group, Modal, Stack } from "@mantine/core";
import type { ReactNode } from "react";
import { ErrorNote } from "./ErrorNote.tsx";

export function FormDialog({ title, action, onSubmit, onClose, busy, disabled, error, children }: {
  title: ReactNode;
  /** The button: "Add group". */
  action: string;
  onSubmit: () => void;
  onClose: () => void;
  busy: boolean;
  /** Whether something is still to be chosen. */
  disabled?: boolean;
  /** What is not said at a field. */
  error?: unknown;
  children: ReactNode;
}) {
  return (
    <Modal opened onClose={onClose} title={title}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit();
        }}
      >
        <Stack gap={12}>
          {children}
          <ErrorNote error={error} />
          <Group justify="flex-end" gap={8}>
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button type="submit" loading={busy} disabled={disabled}>{action}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
