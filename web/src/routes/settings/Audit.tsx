/** Who changed what, and when: the newest first, with what was before and after. */
import { Button, Select, TextInput } from "@mantine/core";
import { IconDownload, IconHistory } from "@tabler/icons-react";
import { address } from "~/api/client.ts";
import type { AuditEventView } from "~/api/generated.ts";
import { useAll, usePages } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { useAddress } from "~/parts/address.ts";
import { type Column, DataTable } from "~/parts/DataTable.tsx";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { SidePanel } from "~/parts/SidePanel.tsx";
import { Time } from "~/parts/Time.tsx";
import { useWindow, WindowPicker } from "~/parts/WindowPicker.tsx";
import { Change } from "./Change.tsx";

const KINDS = [
  "Source",
  "Integration",
  "Destination Subscription",
  "Destination Filter",
  "Function",
  "Tracking Plan",
  "User",
  "Token",
  "Workspace",
];

const columns = (nameOf: (event: AuditEventView) => string): Column<AuditEventView>[] => [
  {
    key: "type",
    head: "What",
    width: "minmax(0, 1.5fr)",
    cell: (each) => <span style={{ fontWeight: 500 }}>{each.type}</span>,
  },
  { key: "on", head: "On", width: "minmax(0, 1.5fr)", wide: true, cell: (each) => each.resourceName },
  {
    key: "who",
    head: "Who",
    width: "minmax(0, 1.5fr)",
    cell: (each) => <span className="dim">{nameOf(each)}</span>,
  },
  { key: "at", head: "When", width: "96px", align: "right", cell: (each) => <Time at={each.timestamp} /> },
];

export default function Audit() {
  const window = useWindow("7d");
  const [type, setType] = useAddress("type", "");
  const [actor, setActor] = useAddress("actor", "");
  const [opened, setOpened] = useAddress("event", "");
  const { startTime, endTime } = window.range();
  // To the minute, so that it is one question as long as the page is looked at.
  const query = {
    startTime: startTime.slice(0, 16) + ":00Z",
    endTime: window.key.includes("~") ? endTime : undefined,
    resourceType: type || undefined,
    actor: actor || undefined,
  };
  const { items, error, refetch, hasNextPage, fetchNextPage } = usePages("listAuditEvents", { query });
  const { may } = useSession();
  const { items: tokens } = useAll("listTokens", {}, { enabled: may("people:read") });
  const nameOf = ({ actor, actorEmail }: AuditEventView) => {
    const token = tokens?.find((each) => each.id === actor);
    return actorEmail ?? (token ? `Token ${token.name}` : actor);
  };
  const open = items?.find((each) => each.id === opened);
  return (
    <>
      <div style={{ display: "flex", flexWrap: "wrap", gap: 8, marginBottom: 12 }}>
        <Select
          aria-label="Kind of thing"
          value={type}
          onChange={(value) => setType(value ?? "")}
          data={[{ value: "", label: "Everything" }, ...KINDS.map((each) => ({ value: each, label: each }))]}
          w={200}
        />
        <TextInput
          aria-label="Who"
          placeholder="Email or id of who did it"
          defaultValue={actor}
          onBlur={(event) => setActor(event.currentTarget.value.trim())}
          onKeyDown={(event) => event.key === "Enter" && setActor(event.currentTarget.value.trim())}
          w={240}
        />
        <span style={{ flex: 1 }} />
        <Button
          component="a"
          href={address("exportAuditEvents", query)}
          download
          variant="default"
          leftSection={<IconDownload size={16} />}
        >
          Export
        </Button>
        <WindowPicker otherwise="7d" />
      </div>
      <ErrorNote error={error} retry={refetch} />
      {items?.length === 0 && (
        <EmptyState icon={IconHistory} title="Nothing was changed in this window">
          Every change of configuration, every sign-in and every refusal is kept here.
        </EmptyState>
      )}
      {items && items.length > 0 && (
        <DataTable
          label="Audit trail"
          columns={columns(nameOf)}
          rows={items}
          rowKey={(each) => each.id}
          rowHeight={40}
          open={opened}
          onOpen={(each) => setOpened(each.id)}
          onEnd={() => hasNextPage && fetchNextPage()}
        />
      )}
      <SidePanel open={!!open} onClose={() => setOpened("")} title={open?.type}>
        {open && <Change event={open} who={nameOf(open)} />}
      </SidePanel>
    </>
  );
}
