/** What can be done with a row of a table: `<RowMenu label="More for Shop"><Menu.Item>…</Menu.Item></RowMenu>`. */
import { ActionIcon, Menu } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import type { ReactNode } from "react";

export function RowMenu({ label, children }: { label: string; children: ReactNode }) {
  return (
    // A click in it does not open the row.
    <span onClick={(event) => event.stopPropagation()}>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon aria-label={label}>
            <IconDots size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>{children}</Menu.Dropdown>
      </Menu>
    </span>
  );
}
