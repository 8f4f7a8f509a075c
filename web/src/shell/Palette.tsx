/**
 * ⌘K: any page or thing by its name; a messageId goes to its trace, and so does a person's id.
 * Lists are asked for when it is first opened.
 */
import { useHotkeys } from "@mantine/hooks";
import {
  Spotlight,
  spotlight,
  type SpotlightActionData,
  type SpotlightActionGroupData,
} from "@mantine/spotlight";
import {
  IconBell,
  IconCode,
  IconFileSearch,
  IconPlugConnected,
  IconPlus,
  IconSearch,
  IconSend,
  IconUser,
  type TablerIcon,
} from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useAll, useApi } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { KINDS } from "~/functions/kinds.ts";
import { PAGES } from "./nav.ts";

export const openPalette = spotlight.open;

/** What looks like the id of a message: a UUID, or what SDKs put before one. */
const MESSAGE_ID = /^(ajs-next-\d+-|node-next-\d+-|api_|messageId[:=]?\s*)?[0-9a-f-]{20,}$/i;
const ID = /^\S{3,}$/;
const SHOWN = 10;

interface Found {
  id: string;
  label: string;
  description?: string;
  to: string;
  search?: Record<string, string>;
  icon: TablerIcon;
}

export function Palette() {
  const navigate = useNavigate();
  const [query, setQuery] = useState("");
  const [open, setOpen] = useState(false);
  // From a field one types in, too, where `/` is a letter.
  useHotkeys([["mod+K", openPalette]], [], true);
  const wanted = query.trim();
  const things = useThings(open);
  const group = (name: string, found: Found[]): SpotlightActionGroupData[] =>
    found.length
      ? [{
        group: name,
        actions: found.map(({ id, label, description, to, search, icon: Icon }): SpotlightActionData => ({
          id,
          label,
          description,
          leftSection: <Icon size={18} stroke={1.75} />,
          onClick: () => void navigate({ to, search: search as never }),
        })),
      }]
      : [];
  const matching = (found: Found[]) =>
    found.filter((each) =>
      `${each.label} ${each.description ?? ""} ${each.id}`.toLowerCase().includes(wanted.toLowerCase())
    ).slice(0, SHOWN);
  const events = group("Events", things.events(wanted));
  const actions = [
    ...(MESSAGE_ID.test(wanted) ? events : []),
    ...things.groups.flatMap(([name, found]) => group(name, matching(found))),
    ...(MESSAGE_ID.test(wanted) ? [] : events),
  ];
  return (
    <Spotlight
      actions={actions}
      query={query}
      onQueryChange={setQuery}
      filter={(_, every) => every}
      onSpotlightOpen={() => setOpen(true)}
      nothingFound={`Nothing is called "${query}"`}
      scrollable
      overlayProps={{ backgroundOpacity: 0.25, blur: 0 }}
      maxHeight={480}
      shortcut="/"
      searchProps={{
        leftSection: <IconSearch size={18} />,
        placeholder: "Source, destination, function, person, page, messageId",
        "aria-label": "Search",
      }}
    />
  );
}

/** All that can be found, in groups, as far as one may see it. */
function useThings(enabled: boolean) {
  const { may } = useSession();
  const asked = (permission: string) => ({ enabled: enabled && may(permission) });
  const connections = useApi("getConnections", {}, asked("source:read")).data?.connections;
  const functions = useAll("listFunctions", {}, asked("function:read")).items;
  const alerts = useAll("listAlerts", {}, asked("workspace:write")).items;
  const people = useAll("listUsers", {}, asked("people:read")).items;
  const pages = PAGES.filter((each) => !each.permission || may(each.permission));
  const groups: [string, Found[]][] = [
    ["Pages", pages.map(({ label, to, icon }) => ({ id: to, label, to, icon }))],
    ["Actions", ACTIONS.filter((each) => may(each.permission))],
    [
      "Sources",
      (connections?.sources ?? []).map((each) => ({
        id: each.id,
        label: each.name || each.slug,
        description: each.slug,
        to: `/sources/${each.id}`,
        icon: IconPlugConnected,
      })),
    ],
    [
      "Destinations",
      (connections?.destinations ?? []).map((each) => ({
        id: each.id,
        label: each.name || each.kindName,
        description: each.kindName,
        to: `/destinations/${each.id}`,
        icon: IconSend,
      })),
    ],
    [
      "Functions",
      (functions ?? []).map((each) => ({
        id: each.id,
        label: each.displayName,
        description: KINDS[each.resourceType].word,
        to: `/functions/${each.id}`,
        icon: IconCode,
      })),
    ],
    [
      "Alerts",
      (alerts ?? []).map((each) => ({
        id: each.id,
        label: each.name,
        to: "/delivery/alerts",
        search: { alert: each.id },
        icon: IconBell,
      })),
    ],
    [
      "People",
      (people ?? []).map((each) => ({
        id: each.id,
        label: each.name,
        description: each.email,
        to: "/settings/people",
        search: { person: each.id },
        icon: IconUser,
      })),
    ],
  ];
  const events = (id: string): Found[] =>
    ID.test(id) && may("delivery:read")
      ? [
        {
          id: "message",
          label: `What became of the event ${id}`,
          description: "By its messageId",
          to: "/delivery/trace",
          search: { messageId: id },
          icon: IconFileSearch,
        },
        ...(MESSAGE_ID.test(id) ? [] : [{
          id: "user",
          label: `Events of ${id}`,
          description: "By userId or anonymousId",
          to: "/delivery/trace",
          search: { userId: id },
          icon: IconFileSearch,
        }]),
      ]
      : [];
  return { groups, events };
}

const ACTIONS: (Found & { permission: string })[] = [
  { id: "add-source", label: "Add source", to: "/start", icon: IconPlus, permission: "source:write" },
  {
    id: "add-destination",
    label: "Add destination",
    to: "/destinations/add",
    icon: IconPlus,
    permission: "destination:write",
  },
];
