/** Which workspace one is in; a menu if there are several. */
import { Menu } from "@mantine/core";
import { IconCheck, IconSelector } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { choose, session, useSession } from "~/api/session.ts";
import { client } from "~/api/hooks.ts";
import css from "./Shell.module.css";

export function WorkspaceMenu() {
  const { workspace, workspaces } = useSession();
  const navigate = useNavigate();
  if (workspaces.length < 2) {
    return (
      <span className={css.workspace}>
        <span className="cut">{workspace?.name ?? "No workspace"}</span>
      </span>
    );
  }
  const go = async (id: string) => {
    choose(id);
    await client.ensureQueryData(session);
    navigate({ to: "/" });
  };
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <button type="button" className={css.workspace} aria-label={`Workspace: ${workspace?.name}`}>
          <span className="cut">{workspace?.name}</span>
          <IconSelector size={14} />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {workspaces.map((each) => (
          <Menu.Item
            key={each.id}
            onClick={() => go(each.id)}
            rightSection={each.id === workspace?.id && <IconCheck size={14} />}
          >
            {each.name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
