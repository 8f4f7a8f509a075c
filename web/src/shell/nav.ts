/**
 * The navigation at the left. A page is listed once it exists, in this order: Home, Sources, Destinations,
 * Functions, Catalogue, Delivery, Debugger, Settings.
 */
import {
  IconBug,
  IconCode,
  IconHome,
  IconLayoutGrid,
  IconPlugConnected,
  IconRoute,
  IconSend,
  IconSettings,
  type TablerIcon,
} from "@tabler/icons-react";
import type { Tab } from "~/parts/PageHead.tsx";

export interface NavItem {
  label: string;
  to: string;
  icon: TablerIcon;
  /** Shown to who has this permission. */
  permission?: string;
}

export const NAV: NavItem[] = [
  { label: "Home", to: "/", icon: IconHome },
  { label: "Sources", to: "/sources", icon: IconPlugConnected, permission: "source:read" },
  { label: "Destinations", to: "/destinations", icon: IconSend, permission: "destination:read" },
  { label: "Functions", to: "/functions", icon: IconCode, permission: "function:read" },
  { label: "Catalogue", to: "/catalogue", icon: IconLayoutGrid, permission: "source:read" },
  { label: "Delivery", to: "/delivery", icon: IconRoute, permission: "source:read" },
  { label: "Debugger", to: "/debugger", icon: IconBug, permission: "debugger:read" },
  { label: "Settings", to: "/settings", icon: IconSettings },
];

/** A part of a page. */
export type Part = Tab & { permission?: string };

export const DELIVERY: Part[] = [
  { label: "Overview", to: "/delivery/overview", permission: "source:read" },
  { label: "Deliverability", to: "/delivery/deliverability", permission: "destination:read" },
  { label: "Health", to: "/delivery/health", permission: "source:read" },
  { label: "Alerts", to: "/delivery/alerts", permission: "source:read" },
  { label: "Discards", to: "/delivery/discards", permission: "delivery:read" },
  { label: "Trace", to: "/delivery/trace", permission: "delivery:read" },
];

export const SETTINGS: Part[] = [
  { label: "Workspace", to: "/settings/workspace" },
  { label: "People", to: "/settings/people", permission: "people:read" },
  { label: "Groups", to: "/settings/groups", permission: "people:read" },
  { label: "Roles", to: "/settings/roles", permission: "people:read" },
  { label: "Tokens", to: "/settings/tokens", permission: "people:read" },
  { label: "Audit trail", to: "/settings/audit", permission: "audit:read" },
  { label: "Installation", to: "/settings/installation", permission: "workspace:write" },
  { label: "Your account", to: "/settings/account" },
];

const below = (page: string, icon: TablerIcon, parts: Part[]): NavItem[] =>
  parts.map((each) => ({ ...each, label: `${page}: ${each.label}`, icon }));

/** All that has an address of its own and is no thing one has made. */
export const PAGES: NavItem[] = [
  ...NAV,
  ...below("Delivery", IconRoute, DELIVERY),
  ...below("Settings", IconSettings, SETTINGS),
];
