/** Before something is destroyed: what will stop, and its name typed. */
import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { type ReactNode, useEffect, useState } from "react";
import { ErrorNote } from "./ErrorNote.tsx";

export function ConfirmByName(
  { name, title, action, children, open, onClose, onConfirm, busy, error }: {
    /** What has to be typed. */
    name: string;
    title: string;
    /** The button: "Delete source". */
    action: string;
    /** What will stop. */
    children: ReactNode;
    open: boolean;
    onClose: () => void;
    onConfirm: () => void;
    busy?: boolean;
    error?: unknown;
  },
) {
  const [typed, setTyped] = useState("");
  const [tried, setTried] = useState(false);
  useEffect(() => {
    // What was typed and went wrong before was about another thing.
    setTyped("");
    setTried(false);
  }, [open]);
  return (
    <Modal opened={open} onClose={onClose} title={title}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (typed !== name) return;
          setTried(true);
          onConfirm();
        }}
      >
        <Stack gap={16}>
          <div>{children}</div>
          <TextInput
            label={
              <>
                Type <code>{name}</code> to confirm
              </>
            }
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            data-autofocus
            autoComplete="off"
          />
          <ErrorNote error={tried && error} />
          <Group justify="flex-end" gap={8}>
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button type="submit" color="red" disabled={typed !== name} loading={busy}>{action}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
