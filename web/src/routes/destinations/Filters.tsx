/** A destination's filters: which events never get to it, and what of others is left out. */
import { Button, Group, Menu, Switch } from "@mantine/core";
import { IconFilter, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import type { FilterView } from "~/api/generated.ts";
import { useAll, useChange } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { useAddress } from "~/parts/address.ts";
import { ConfirmByName } from "~/parts/ConfirmByName.tsx";
import { type Column, DataTable } from "~/parts/DataTable.tsx";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { RowMenu } from "~/parts/RowMenu.tsx";
import { useDestination } from "./destination.ts";
import { FilterEditor } from "./FilterEditor.tsx";
import { doesWhat } from "./filter.ts";

export default function Filters() {
  const { destination, destinationId } = useDestination();
  const { may } = useSession();
  const { items, error, refetch } = useAll("listFiltersFromDestination", { path: { destinationId } });
  const [opened, setOpened] = useAddress("filter", "");
  const [deleting, setDeleting] = useState<FilterView>();
  const update = useChange("updateFilterForDestination", ["listFiltersFromDestination"]);
  const remove = useChange("removeFilterFromDestination", ["listFiltersFromDestination"]);
  const path = (each: FilterView) => ({ destinationId, filterId: each.id });
  const rest = !may("destination:write");
  const add = !rest && (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setOpened("new")}>Add filter</Button>
  );
  const open = items?.find((each) => each.id === opened);
  const columns: Column<FilterView>[] = [
    { key: "title", head: "Filter", cell: (each) => <span style={{ fontWeight: 500 }}>{each.title}</span> },
    { key: "does", head: "Does", wide: true, cell: doesWhat },
    {
      key: "if",
      head: "When",
      width: "minmax(0, 1.4fr)",
      wide: true,
      cell: (each) => <code className="dim" title={each.if}>{each.if}</code>,
    },
    {
      key: "enabled",
      head: "Enabled",
      width: "56px",
      cell: (each) => (
        <span onClick={(event) => event.stopPropagation()}>
          <Switch
            aria-label={`Enable ${each.title}`}
            checked={each.enabled}
            disabled={rest || update.isPending}
            onChange={(event) =>
              update.mutate({ path: path(each), body: { enabled: event.currentTarget.checked } })}
          />
        </span>
      ),
    },
    {
      key: "more",
      head: "",
      width: "28px",
      cell: (each) =>
        !rest && (
          <RowMenu label={`More for ${each.title}`}>
            <Menu.Item onClick={() => setOpened(each.id)}>Edit</Menu.Item>
            <Menu.Item color="red" onClick={() => setDeleting(each)}>Delete…</Menu.Item>
          </RowMenu>
        ),
    },
  ];
  return (
    <>
      <ErrorNote error={error} retry={refetch} />
      <ErrorNote error={update.error} />
      {items?.length === 0 && (
        <EmptyState icon={IconFilter} title="No filters" action={add}>
          Every event of the source gets to the mappings. A filter drops some of them first, or leaves out
          properties that this tool need not see.
        </EmptyState>
      )}
      {items && items.length > 0 && (
        <>
          <Group justify="space-between" mb={12} gap={8}>
            <span className="dim">Before the mappings, all that are enabled.</span>
            {add}
          </Group>
          <DataTable
            label="Filters"
            columns={columns}
            rows={items}
            rowKey={(each) => each.id}
            open={opened}
            onOpen={(each) => setOpened(each.id)}
          />
        </>
      )}
      {destination && (opened === "new" || open) && (
        <FilterEditor
          key={opened}
          destination={destination}
          filter={open}
          onClose={() => setOpened("")}
        />
      )}
      <ConfirmByName
        name={deleting?.title ?? ""}
        title={`Delete ${deleting?.title}`}
        action="Delete filter"
        open={!!deleting}
        onClose={() => setDeleting(undefined)}
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() =>
          remove.mutate({ path: path(deleting!) }, { onSuccess: () => setDeleting(undefined) })}
      >
        What it kept from {destination?.name || destination?.metadata.name} gets there from now on.
      </ConfirmByName>
    </>
  );
}
