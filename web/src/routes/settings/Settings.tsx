/** Settings: of the workspace, its people, the installation and oneself. */
import { Outlet } from "@tanstack/react-router";
import { useSession } from "~/api/session.ts";
import { PageHead, type Tab } from "~/parts/PageHead.tsx";

const TABS: (Tab & { permission?: string })[] = [
  { label: "Workspace", to: "/settings/workspace" },
  { label: "People", to: "/settings/people", permission: "people:read" },
  { label: "Groups", to: "/settings/groups", permission: "people:read" },
  { label: "Roles", to: "/settings/roles", permission: "people:read" },
  { label: "Tokens", to: "/settings/tokens", permission: "people:read" },
  { label: "Audit trail", to: "/settings/audit", permission: "audit:read" },
  { label: "Installation", to: "/settings/installation", permission: "workspace:write" },
  { label: "Your account", to: "/settings/account" },
];

export default function Settings() {
  const { may } = useSession();
  return (
    <>
      <PageHead title="Settings" tabs={TABS.filter((each) => !each.permission || may(each.permission))} />
      <Outlet />
    </>
  );
}
