/** Delivery: the road as a whole, what retries rescue, health, one event's trace, and what was given up on. */
import { Outlet } from "@tanstack/react-router";
import { useSession } from "~/api/session.ts";
import { PageHead, type Tab } from "~/parts/PageHead.tsx";

const TABS: (Tab & { permission: string })[] = [
  { label: "Overview", to: "/delivery/overview", permission: "source:read" },
  { label: "Deliverability", to: "/delivery/deliverability", permission: "destination:read" },
  { label: "Health", to: "/delivery/health", permission: "source:read" },
  { label: "Alerts", to: "/delivery/alerts", permission: "source:read" },
  { label: "Discards", to: "/delivery/discards", permission: "delivery:read" },
  { label: "Trace", to: "/delivery/trace", permission: "delivery:read" },
];

export default function Delivery() {
  const { may } = useSession();
  return (
    <>
      <PageHead title="Delivery" tabs={TABS.filter((each) => may(each.permission))} />
      <Outlet />
    </>
  );
}
