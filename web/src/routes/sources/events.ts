/** What an event is called, who it is about, and the icon of its type. */
import {
  IconAlertTriangle,
  IconArrowMerge,
  IconBolt,
  IconDeviceMobile,
  IconFile,
  IconUser,
  IconUsersGroup,
  type TablerIcon,
} from "@tabler/icons-react";
import type { DebuggerLine } from "~/api/generated.ts";

const ICONS: Record<string, TablerIcon> = {
  track: IconBolt,
  identify: IconUser,
  page: IconFile,
  screen: IconDeviceMobile,
  group: IconUsersGroup,
  alias: IconArrowMerge,
};

export function typeIcon(type: string): TablerIcon {
  return ICONS[type] ?? IconAlertTriangle;
}

function field(event: DebuggerLine, name: string): string | undefined {
  const payload = event.payload as Record<string, unknown> | null;
  const value = payload && typeof payload === "object" ? payload[name] : undefined;
  return value === undefined || value === null ? undefined : String(value);
}

/** Of a track event its name, of a page or screen its own; of others the type. */
export function nameOf(event: DebuggerLine): string {
  const type = event.type || "event";
  const word = type.charAt(0).toUpperCase() + type.slice(1);
  return field(event, "event") ?? (field(event, "name") ? `${word}: ${field(event, "name")}` : word);
}

export function whoOf(event: DebuggerLine): string {
  return field(event, "userId") ?? field(event, "anonymousId") ?? "";
}

const texts = new WeakMap<DebuggerLine, string>();

/** Everything in which one may search. */
export function textOf(event: DebuggerLine): string {
  const known = texts.get(event);
  if (known !== undefined) return known;
  const text = write(event);
  texts.set(event, text);
  return text;
}

function write(event: DebuggerLine): string {
  const payload = typeof event.payload === "string" ? event.payload : JSON.stringify(event.payload);
  return `${event.type} ${event.verdict} ${event.code ?? ""} ${event.messageId ?? ""} ${payload}`
    .toLowerCase();
}
