/** What a source sends, by event: how often, what was blocked, and whether it may come. */
import { Switch, TextInput } from "@mantine/core";
import { IconListDetails, IconSearch } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { SchemaEventView } from "~/api/generated.ts";
import { useApi, useChange } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { useAddress } from "~/parts/address.ts";
import { type Column, DataTable } from "~/parts/DataTable.tsx";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { count } from "~/parts/format.ts";
import { Sparkline } from "~/parts/Sparkline.tsx";
import { useWindow, WindowPicker } from "~/parts/WindowPicker.tsx";
import { typeIcon } from "./events.ts";
import { SchemaRules } from "./SchemaRules.tsx";
import { type SchemaRow, useSchema } from "./schema.ts";
import { useSource } from "./source.ts";

export default function Schema() {
  const { sourceId, trackingPlanId } = useSource();
  const { may } = useSession();
  const window = useWindow("24h");
  const [search, setSearch] = useAddress("search", "");
  const { rows, error } = useSchema(sourceId, window);
  const toggle = useChange("updateSchemaEventsInSource", ["listSchemaEventsInSource"]);
  const settings = useApi("listSchemaSettingsInSource", { path: { sourceId } });
  const set = (row: SchemaRow, enabled: boolean) =>
    toggle.mutate({
      path: { sourceId },
      body: {
        events: [{ type: row.type.toUpperCase() as SchemaEventView["type"], name: row.name, enabled }],
      },
    });
  const wanted = search.toLowerCase();
  const shown = rows?.filter((each) => `${each.name} ${each.type}`.toLowerCase().includes(wanted));
  const columns: Column<SchemaRow>[] = [
    {
      key: "name",
      head: "Event",
      width: "minmax(0, 2fr)",
      cell: (each) => {
        const Icon = typeIcon(each.type);
        return (
          <Link
            to="/sources/$sourceId/debugger"
            params={{ sourceId }}
            search={{ search: each.name || each.type }}
            style={{ display: "flex", alignItems: "center", gap: 8, color: "inherit" }}
          >
            <Icon size={16} stroke={1.75} aria-label={each.type} color="var(--mantine-color-dimmed)" />
            <span className="cut" style={{ fontWeight: 500 }}>{each.name || each.type}</span>
          </Link>
        );
      },
    },
    { key: "trend", head: "", width: "80px", wide: true, cell: (each) => <Sparkline values={each.series} /> },
    { key: "count", head: "Accepted", width: "88px", align: "right", cell: (each) => count(each.count) },
    {
      key: "blocked",
      head: "Blocked",
      width: "88px",
      align: "right",
      wide: true,
      cell: (each) =>
        each.blocked ? <span style={{ color: "var(--filtered)" }}>{count(each.blocked)}</span> : "–",
    },
    {
      key: "allowed",
      head: "Allowed",
      width: "64px",
      align: "right",
      cell: (each) => (
        <Switch
          aria-label={`Allow ${each.name || each.type}`}
          checked={each.enabled}
          disabled={!may("source:write") || !!trackingPlanId || toggle.isPending}
          onChange={(event) => set(each, event.currentTarget.checked)}
        />
      ),
    },
  ];
  return (
    <>
      <div style={{ display: "flex", flexWrap: "wrap", gap: 8, marginBottom: 12 }}>
        <TextInput
          placeholder="Find an event"
          aria-label="Find an event"
          leftSection={<IconSearch size={16} />}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
          style={{ flex: "1 1 200px", maxWidth: 320 }}
        />
        <span style={{ flex: 1 }} />
        <WindowPicker />
      </div>
      <ErrorNote error={error ?? toggle.error} />
      {trackingPlanId && (
        <p className="dim" style={{ marginTop: 0 }}>
          A tracking plan decides what comes; the switches rest until it is disconnected.
        </p>
      )}
      {rows?.length === 0 && (
        <EmptyState icon={IconListDetails} title="Nothing came in this window">
          Every event that this source sends is listed here with its number. Choose a longer window, or send
          one.
        </EmptyState>
      )}
      {rows && rows.length > 0 && (
        <DataTable
          label="Events of this source"
          columns={columns}
          rows={shown!}
          rowKey={(each) => each.key}
          rowHeight={40}
        />
      )}
      <div style={{ height: 32 }} />
      {settings.data && (
        <SchemaRules sourceId={sourceId} settings={settings.data.settings} planned={!!trackingPlanId} />
      )}
    </>
  );
}
