/** Settings: of the workspace, its people, the installation and oneself. */
import { Outlet } from "@tanstack/react-router";
import { useSession } from "~/api/session.ts";
import { PageHead } from "~/parts/PageHead.tsx";
import { SETTINGS } from "~/shell/nav.ts";

export default function Settings() {
  const { may } = useSession();
  return (
    <>
      <PageHead title="Settings" tabs={SETTINGS.filter((each) => !each.permission || may(each.permission))} />
      <Outlet />
    </>
  );
}
