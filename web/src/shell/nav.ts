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
