/** ⌘K: any page, source or destination by its name; a messageId goes to its trace. */
import {
  Spotlight,
  spotlight,
  type SpotlightActionData,
  type SpotlightActionGroupData,
} from "@mantine/spotlight";
import { IconFileSearch, IconPlugConnected, IconPlus, IconSearch, IconSend } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useApi } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { NAV } from "./nav.ts";

export const openPalette = spotlight.open;

/** What looks like the id of a message: a UUID, or what SDKs put before one. */
const MESSAGE_ID = /^(ajs-next-\d+-|node-next-\d+-|api_|messageId[:=]?\s*)?[0-9a-f-]{20,}$/i;
const SHOWN = 10;

export function Palette() {
  const navigate = useNavigate();
  const { may } = useSession();
  const [query, setQuery] = useState("");
  const [open, setOpen] = useState(false);
  const found = useApi("getConnections", {}, { enabled: open && may("source:read") }).data?.connections;
  const go = (to: string) => () => void navigate({ to });
  const matches = (text: string) => text.toLowerCase().includes(query.trim().toLowerCase());
  const group = (name: string, found: SpotlightActionData[]): SpotlightActionGroupData[] => {
    const shown = found.filter((each) => matches(`${each.label} ${each.description ?? ""} ${each.id}`)).slice(
      0,
      SHOWN,
    );
    return shown.length ? [{ group: name, actions: shown }] : [];
  };
  const message = query.trim();
  const actions = [
    ...(MESSAGE_ID.test(message)
      ? [{
        group: "Message",
        actions: [{
          id: "trace",
          label: `What became of ${message}`,
          leftSection: <IconFileSearch size={18} stroke={1.75} />,
          onClick: () => void navigate({ to: "/trace", search: { messageId: message } as never }),
        }],
      }]
      : []),
    ...group(
      "Pages",
      NAV.filter((each) => !each.permission || may(each.permission)).map(({ label, to, icon: Icon }) => ({
        id: to,
        label,
        leftSection: <Icon size={18} stroke={1.75} />,
        onClick: go(to),
      })),
    ),
    ...group(
      "Actions",
      may("source:write")
        ? [{
          id: "add-source",
          label: "Add source",
          leftSection: <IconPlus size={18} stroke={1.75} />,
          onClick: go("/start"),
        }]
        : [],
    ),
    ...group(
      "Sources",
      (found?.sources ?? []).map((each) => ({
        id: each.id,
        label: each.name || each.slug,
        description: each.slug,
        leftSection: <IconPlugConnected size={18} stroke={1.75} />,
        onClick: go(`/sources/${each.id}`),
      })),
    ),
    ...group(
      "Destinations",
      (found?.destinations ?? []).map((each) => ({
        id: each.id,
        label: each.name || each.kindName,
        description: each.kindName,
        leftSection: <IconSend size={18} stroke={1.75} />,
        onClick: go(`/destinations/${each.id}`),
      })),
    ),
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
      shortcut={["mod + K", "/"]}
      searchProps={{
        leftSection: <IconSearch size={18} />,
        placeholder: "Source, destination, page, messageId",
        "aria-label": "Search",
      }}
    />
  );
}
