/** A destination's mappings: which events are sent, by which action, and whether they are. */
import { Button, Group, Menu, Switch, TextInput } from "@mantine/core";
import { IconArrowsSplit, IconPlus } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { SubscriptionView } from "~/api/generated.ts";
import { useChange } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { useAddress } from "~/parts/address.ts";
import { ConfirmByName } from "~/parts/ConfirmByName.tsx";
import { type Column, DataTable } from "~/parts/DataTable.tsx";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { FormDialog } from "~/parts/FormDialog.tsx";
import { RowMenu } from "~/parts/RowMenu.tsx";
import { AddMapping } from "./AddMapping.tsx";
import { useDestination, useMappings } from "./destination.ts";
import { SetUp } from "./SetUp.tsx";

const RENEWS = ["listSubscriptionsFromDestination", "getSubscriptionFromDestination"] as const;

export default function Mappings() {
  const { destination, destinationId } = useDestination();
  const { may } = useSession();
  const navigate = useNavigate();
  const { items, error, refetch } = useMappings(destinationId);
  const [adding, setAdding] = useAddress("add", "");
  const [renaming, setRenaming] = useState<SubscriptionView>();
  const [deleting, setDeleting] = useState<SubscriptionView>();
  const update = useChange("updateSubscriptionForDestination", [...RENEWS]);
  const duplicate = useChange("duplicateDestinationSubscription", [...RENEWS]);
  const remove = useChange("removeSubscriptionFromDestination", [...RENEWS]);
  const path = (each: SubscriptionView) => ({ destinationId, id: each.id });
  const rest = !may("destination:write");
  const actionName = (each: SubscriptionView) =>
    destination?.metadata.actions.find((action) => action.slug === each.actionSlug)?.name ?? each.actionSlug;
  const open = (each: { id: string }) =>
    navigate({ to: `/destinations/${destinationId}/mappings/${each.id}` });
  const add = !rest && (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setAdding("mapping")}>Add mapping</Button>
  );
  const columns: Column<SubscriptionView>[] = [
    {
      key: "name",
      head: "Mapping",
      cell: (each) => <span style={{ fontWeight: 500 }}>{each.name || actionName(each)}</span>,
    },
    { key: "action", head: "Action", width: "minmax(0, 0.7fr)", wide: true, cell: actionName },
    {
      key: "trigger",
      head: "When",
      width: "minmax(0, 1.6fr)",
      wide: true,
      cell: (each) => <code className="dim" title={each.trigger}>{each.trigger}</code>,
    },
    {
      key: "enabled",
      head: "Enabled",
      width: "56px",
      cell: (each) => (
        <span onClick={(event) => event.stopPropagation()}>
          <Switch
            aria-label={`Enable ${each.name || actionName(each)}`}
            checked={each.enabled}
            disabled={rest || update.isPending}
            onChange={(event) =>
              update.mutate({ path: path(each), body: { input: { enabled: event.currentTarget.checked } } })}
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
          <RowMenu label={`More for ${each.name || actionName(each)}`}>
            <Menu.Item onClick={() => open(each)}>Edit</Menu.Item>
            <Menu.Item onClick={() => setRenaming(each)}>Rename</Menu.Item>
            <Menu.Item onClick={() => duplicate.mutate({ path: path(each) })}>Duplicate</Menu.Item>
            <Menu.Item
              onClick={() =>
                navigate({
                  to: `/destinations/${destinationId}/delivery`,
                  search: { mapping: each.id } as never,
                })}
            >
              Delivery
            </Menu.Item>
            <Menu.Divider />
            <Menu.Item color="red" onClick={() => setDeleting(each)}>Delete…</Menu.Item>
          </RowMenu>
        ),
    },
  ];
  return (
    <>
      {destination && !destination.enabled && <SetUp destination={destination} />}
      <ErrorNote error={error} retry={refetch} />
      <ErrorNote error={update.error ?? duplicate.error} />
      {items?.length === 0 && (
        <EmptyState icon={IconArrowsSplit} title="No mappings yet" action={add}>
          A mapping says which events are meant, what is done with them at the tool, and how each field is
          filled. Begin with one of the presets; it is ready but for a look.
        </EmptyState>
      )}
      {items && items.length > 0 && (
        <>
          <Group justify="space-between" mb={12} gap={8}>
            <span className="dim">
              Every enabled mapping that an event meets sends a request of its own.
            </span>
            {add}
          </Group>
          <DataTable
            label="Mappings"
            columns={columns}
            rows={items}
            rowKey={(each) => each.id}
            onOpen={open}
          />
        </>
      )}
      {destination && adding && <AddMapping destination={destination} onClose={() => setAdding("")} />}
      {renaming && <Rename key={renaming.id} mapping={renaming} onClose={() => setRenaming(undefined)} />}
      <ConfirmByName
        name={deleting?.name ?? ""}
        title={`Delete ${deleting?.name}`}
        action="Delete mapping"
        open={!!deleting}
        onClose={() => setDeleting(undefined)}
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() =>
          remove.mutate({ path: path(deleting!) }, { onSuccess: () => setDeleting(undefined) })}
      >
        Events are no longer sent by it. What waits for another attempt is not sent any more.
      </ConfirmByName>
    </>
  );
}

function Rename({ mapping, onClose }: { mapping: SubscriptionView; onClose: () => void }) {
  const update = useChange("updateSubscriptionForDestination", [...RENEWS]);
  const [name, setName] = useState(mapping.name);
  const path = { destinationId: mapping.destinationId, id: mapping.id };
  return (
    <FormDialog
      title="Rename mapping"
      action="Rename"
      onClose={onClose}
      onSubmit={() => update.mutate({ path, body: { input: { name } } }, { onSuccess: onClose })}
      busy={update.isPending}
      disabled={!name.trim()}
      error={update.error}
    >
      <TextInput
        label="Name"
        data-autofocus
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
    </FormDialog>
  );
}
