/**
 * The navigation at the left. A page is listed once it exists, in this order: Home, Sources, Destinations,
 * Functions, Catalogue, Delivery, Debugger, Settings.
 */
import {
  IconCode,
  IconHome,
  IconPlugConnected,
  IconRoute,
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
  { label: "Functions", to: "/functions", icon: IconCode, permission: "function:read" },
  { label: "Delivery", to: "/delivery", icon: IconRoute, permission: "source:read" },
  { label: "Settings", to: "/settings", icon: IconSettings },
];
