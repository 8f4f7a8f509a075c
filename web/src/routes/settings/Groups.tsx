/** Groups of people: what a group may do, its members may. */
import { Button, Group, Menu, MultiSelect, TextInput } from "@mantine/core";
import { IconPlus, IconUsersGroup } from "@tabler/icons-react";
import { useState } from "react";
import type { GroupView } from "~/api/generated.ts";
import { useAll, useChange } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { ConfirmByName } from "~/parts/ConfirmByName.tsx";
import { type Column, DataTable } from "~/parts/DataTable.tsx";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { FormDialog } from "~/parts/FormDialog.tsx";
import { RowMenu } from "~/parts/RowMenu.tsx";
import { type Given, inWords, permission, Replaced, RolePicker, shown } from "./RolePicker.tsx";

export default function Groups() {
  const { may } = useSession();
  const groups = useAll("listUserGroups", {});
  const remove = useChange("deleteUserGroup", ["listUserGroups"]);
  const [adding, setAdding] = useState(false);
  const [changing, setChanging] = useState<GroupView>();
  const [removing, setRemoving] = useState<GroupView>();
  const add = may("people:write") && (
    <Button
      leftSection={<IconPlus size={16} />}
      onClick={() => setAdding(true)}
    >
      Add group
    </Button>
  );
  const columns: Column<GroupView>[] = [
    { key: "name", head: "Group", cell: (each) => <span style={{ fontWeight: 500 }}>{each.name}</span> },
    { key: "members", head: "Members", width: "80px", align: "right", cell: (each) => each.memberCount },
    {
      key: "roles",
      head: "Roles",
      width: "minmax(0, 2fr)",
      wide: true,
      cell: (each) => inWords(each.permissions),
    },
    {
      key: "actions",
      head: "",
      width: "32px",
      cell: (each) =>
        may("people:write") && (
          <RowMenu label={`Change ${each.name}`}>
            <Menu.Item onClick={() => setChanging(each)}>Members and role</Menu.Item>
            <Menu.Item color="red" onClick={() => setRemoving(each)}>Delete</Menu.Item>
          </RowMenu>
        ),
    },
  ];
  return (
    <>
      <ErrorNote error={groups.error} />
      {groups.items?.length === 0 && (
        <EmptyState icon={IconUsersGroup} title="No groups yet" action={add}>
          Give a role to a group once, and everybody in it has it.
        </EmptyState>
      )}
      {groups.items && groups.items.length > 0 && (
        <>
          <Group justify="flex-end" mb={12}>{add}</Group>
          <DataTable label="Groups" columns={columns} rows={groups.items} rowKey={(each) => each.id} />
        </>
      )}
      {adding && <AddGroup onClose={() => setAdding(false)} onMade={setChanging} />}
      {changing && <ChangeGroup key={changing.id} group={changing} onClose={() => setChanging(undefined)} />}
      <ConfirmByName
        name={removing?.name ?? ""}
        title={`Delete ${removing?.name}`}
        action="Delete group"
        open={!!removing}
        onClose={() => setRemoving(undefined)}
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() =>
          remove.mutate({ path: { userGroupId: removing!.id } }, { onSuccess: () => setRemoving(undefined) })}
      >
        Its {removing?.memberCount} members lose what they may by this group. They stay in the workspace.
      </ConfirmByName>
    </>
  );
}

function AddGroup({ onClose, onMade }: { onClose: () => void; onMade: (group: GroupView) => void }) {
  const create = useChange("createUserGroup", ["listUserGroups"]);
  const [name, setName] = useState("");
  return (
    <FormDialog
      title="Add group"
      action="Add group"
      onClose={onClose}
      onSubmit={() =>
        create.mutate({ body: { name } }, {
          onSuccess: ({ userGroup }) => {
            onClose();
            onMade(userGroup);
          },
        })}
      busy={create.isPending}
      error={create.error}
    >
      <TextInput
        label="Name"
        required
        withAsterisk={false}
        data-autofocus
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
    </FormDialog>
  );
}

function ChangeGroup({ group, onClose }: { group: GroupView; onClose: () => void }) {
  const path = { userGroupId: group.id };
  const members = useAll("listUsersFromUserGroup", { path });
  const invited = useAll("listInvitesFromUserGroup", { path });
  const error = members.error ?? invited.error;
  if (!members.items || !invited.items) return <ErrorNote error={error} />;
  return (
    <Members
      group={group}
      emails={[...members.items.map((each) => each.email), ...invited.items]}
      onClose={onClose}
    />
  );
}

function Members({ group, emails, onClose }: { group: GroupView; emails: string[]; onClose: () => void }) {
  const { items: roles = [] } = useAll("listRoles", {});
  const { items: users = [] } = useAll("listUsers", {});
  const { items: invites = [] } = useAll("listInvites", {});
  const renew = [
    "listUserGroups",
    "listUsersFromUserGroup",
    "listInvitesFromUserGroup",
    "getSession",
  ] as const;
  const setPeople = useChange("replaceUsersInUserGroup", [...renew]);
  const setRole = useChange("replacePermissionsForUserGroup", [...renew]);
  const [chosen, setChosen] = useState(emails);
  // None until it is chosen: what the picker can't show must not be lost with a change of something else.
  const [given, setGiven] = useState<Given>();
  const path = { userGroupId: group.id };
  const save = async () => {
    await setPeople.mutateAsync({ path, body: { emails: chosen } });
    if (given) {
      const permissions = given.roleId ? [permission(given, roles)] : [];
      await setRole.mutateAsync({ path, body: { permissions } });
    }
    onClose();
  };
  return (
    <FormDialog
      title={group.name}
      action="Save"
      onClose={onClose}
      onSubmit={() => void save().catch(() => {})}
      busy={setPeople.isPending || setRole.isPending}
      error={setPeople.error ?? setRole.error}
    >
      <MultiSelect
        label="Members"
        description="Of those who are here or invited."
        value={chosen}
        onChange={setChosen}
        data={[...users.map((each) => each.email), ...invites]}
        searchable
      />
      <Replaced permissions={group.permissions} />
      <RolePicker value={given ?? shown(group.permissions)} onChange={setGiven} none="No role" />
    </FormDialog>
  );
}
