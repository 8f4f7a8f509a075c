/** The drawer for one event or thing, beside the list it was opened from. */
import { ActionIcon, Drawer, Group } from "@mantine/core";
import { IconChevronDown, IconChevronUp } from "@tabler/icons-react";
import type { KeyboardEvent, ReactNode } from "react";

/** To the neighbours in the list; undefined where there is none. */
export interface Steps {
  up?: () => void;
  down?: () => void;
}

export function SidePanel(
  { open, onClose, title, children, steps, width = 640 }: {
    open: boolean;
    onClose: () => void;
    title: ReactNode;
    children: ReactNode;
    /** Also by the keys ↑ and ↓. Then the focus is for the list to take back. */
    steps?: Steps;
    width?: number;
  },
) {
  const press = (event: KeyboardEvent) => {
    const step = event.key === "ArrowUp" ? steps?.up : event.key === "ArrowDown" ? steps?.down : undefined;
    if (!step || (event.target as Element).closest("input, textarea, pre, [role=menu]")) return;
    event.preventDefault();
    step();
  };
  return (
    <Drawer
      opened={open}
      onClose={onClose}
      position="right"
      size={`min(${width}px, 100vw)`}
      title={steps
        ? (
          <Group gap={4} wrap="nowrap">
            <ActionIcon aria-label="The one above (↑)" disabled={!steps.up} onClick={steps.up}>
              <IconChevronUp size={16} />
            </ActionIcon>
            <ActionIcon aria-label="The one below (↓)" disabled={!steps.down} onClick={steps.down}>
              <IconChevronDown size={16} />
            </ActionIcon>
            <span className="cut">{title}</span>
          </Group>
        )
        : title}
      onKeyDown={press}
      returnFocus={!steps}
      overlayProps={{ backgroundOpacity: 0.15 }}
      closeButtonProps={{ "aria-label": "Close" }}
      styles={{ title: { fontWeight: 600, fontSize: 16, minWidth: 0 }, content: { borderRadius: 0 } }}
    >
      {children}
    </Drawer>
  );
}
