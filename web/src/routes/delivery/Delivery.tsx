/** Delivery: the road as a whole, what retries rescue, health, one event's trace, and what was given up on. */
import { Outlet } from "@tanstack/react-router";
import { useSession } from "~/api/session.ts";
import { PageHead } from "~/parts/PageHead.tsx";
import { DELIVERY } from "~/shell/nav.ts";

export default function Delivery() {
  const { may } = useSession();
  return (
    <>
      <PageHead title="Delivery" tabs={DELIVERY.filter((each) => !each.permission || may(each.permission))} />
      <Outlet />
    </>
  );
}
