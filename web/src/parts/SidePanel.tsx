/** The drawer for one event or thing, beside the list it was opened from. */
import { Drawer } from "@mantine/core";
import type { ReactNode } from "react";

export function SidePanel(
  { open, onClose, title, children, width = 640 }: {
    open: boolean;
    onClose: () => void;
    title: ReactNode;
    children: ReactNode;
    width?: number;
  },
) {
  return (
    <Drawer
      opened={open}
      onClose={onClose}
      position="right"
      size={`min(${width}px, 100vw)`}
      title={title}
      overlayProps={{ backgroundOpacity: 0.15 }}
      closeButtonProps={{ "aria-label": "Close" }}
      styles={{ title: { fontWeight: 600, fontSize: 16, minWidth: 0 }, content: { borderRadius: 0 } }}
    >
      {children}
    </Drawer>
  );
}
