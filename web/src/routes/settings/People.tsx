/** Who may come in, and who is invited. */
import { Button, Group, Menu, Modal, Stack, TextInput } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { ApiError } from "~/api/client.ts";
import type { InvitationView, PermissionView } from "~/api/generated.ts";
import { useAll, useChange } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { useAddress } from "~/parts/address.ts";
import { ConfirmByName } from "~/parts/ConfirmByName.tsx";
import { Snippet } from "~/parts/Copy.tsx";
import { type Column, DataTable } from "~/parts/DataTable.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { FormDialog } from "~/parts/FormDialog.tsx";
import { RowMenu } from "~/parts/RowMenu.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import { type Given, inWords, permission, Replaced, RolePicker, shown } from "./RolePicker.tsx";

interface Person {
  id: string;
  name: string;
  email: string;
  permissions: PermissionView[];
  invited: boolean;
}

export default function People() {
  const { may, userId } = useSession();
  const users = useAll("listUsers", {});
  const invites = useAll("listInvites", {});
  const [inviting, setInviting] = useState(false);
  const [changed, setChanged] = useAddress("person", "");
  const [removing, setRemoving] = useState<Person>();
  const [renewed, setRenewed] = useState<InvitationView>();
  const again = useChange("createInvites", ["listInvites"]);
  const removeUser = useChange("deleteUsers", ["listUsers"]);
  const removeInvite = useChange("deleteInvites", ["listInvites"]);
  // Without roles it keeps those that it has.
  const renew = (email: string) =>
    again.mutate({ body: { invites: [{ email, permissions: [] }] } }, {
      onSuccess: ({ invitations }) => setRenewed(invitations[0]),
    });
  const people: Person[] = [
    ...(users.items ?? []).map((each) => ({ ...each, invited: false })),
    ...(invites.items ?? []).map((email) => ({ id: email, name: "", email, permissions: [], invited: true })),
  ];
  const changing = people.find((each) => each.id === changed && !each.invited);
  const columns: Column<Person>[] = [
    {
      key: "name",
      head: "Name",
      width: "minmax(0, 1.5fr)",
      cell: (each) =>
        each.invited
          ? <StateChip state="pending">Invited</StateChip>
          : (
            <span className="cut" style={{ fontWeight: 500 }}>
              {each.name}
              {each.id === userId && <span className="dim">&nbsp;(you)</span>}
            </span>
          ),
    },
    { key: "email", head: "Email", width: "minmax(0, 1.5fr)", cell: (each) => each.email },
    {
      key: "roles",
      head: "Roles",
      width: "minmax(0, 2fr)",
      wide: true,
      cell: (each) => each.invited ? "" : inWords(each.permissions),
    },
    {
      key: "actions",
      head: "",
      width: "32px",
      cell: (each) =>
        may("people:write") && (
          <RowMenu label={`Change ${each.email}`}>
            {!each.invited && <Menu.Item onClick={() => setChanged(each.id)}>Change role</Menu.Item>}
            {each.invited && <Menu.Item onClick={() => renew(each.email)}>Make a new link</Menu.Item>}
            {each.invited
              ? (
                <Menu.Item onClick={() => removeInvite.mutate({ query: { emails: [each.email] } })}>
                  Take back invitation
                </Menu.Item>
              )
              : <Menu.Item color="red" onClick={() => setRemoving(each)}>Remove from workspace</Menu.Item>}
          </RowMenu>
        ),
    },
  ];
  return (
    <>
      {may("people:write") && (
        <Group justify="flex-end" mb={12}>
          <Button leftSection={<IconPlus size={16} />} onClick={() => setInviting(true)}>Invite</Button>
        </Group>
      )}
      <ErrorNote error={users.error ?? invites.error ?? removeInvite.error ?? again.error} />
      {users.items && (
        <DataTable
          label="People"
          columns={columns}
          rows={people}
          rowKey={(each) => each.id}
          open={changed}
        />
      )}
      {inviting && <Invite onClose={() => setInviting(false)} />}
      {renewed && (
        <Modal
          opened
          onClose={() => setRenewed(undefined)}
          title="New link"
        >
          <Made invitation={renewed} onClose={() => setRenewed(undefined)} />
        </Modal>
      )}
      {changing && may("people:write") && (
        <ChangeRole
          key={changing.id}
          person={changing}
          onClose={() => setChanged("")}
        />
      )}
      <ConfirmByName
        name={removing?.email ?? ""}
        title={`Remove ${removing?.name}`}
        action="Remove"
        open={!!removing}
        onClose={() => setRemoving(undefined)}
        busy={removeUser.isPending}
        error={removeUser.error}
        onConfirm={() =>
          removeUser.mutate({ query: { userIds: [removing!.id] } }, {
            onSuccess: () => setRemoving(undefined),
          })}
      >
        They lose all access to this workspace at once. What they have made stays.
      </ConfirmByName>
    </>
  );
}

function Invite({ onClose }: { onClose: () => void }) {
  const { items: roles = [] } = useAll("listRoles", {});
  const invite = useChange("createInvites", ["listInvites"]);
  const [email, setEmail] = useState("");
  const [given, setGiven] = useState<Given>({ roleId: "", resources: [] });
  const error = invite.error instanceof ApiError ? invite.error.of("email") : undefined;
  const made = invite.data?.invitations[0];
  if (made) {
    return (
      <Modal opened onClose={onClose} title="Invitation">
        <Made invitation={made} onClose={onClose} />
      </Modal>
    );
  }
  return (
    <FormDialog
      title="Invite somebody"
      action="Make invitation"
      onClose={onClose}
      onSubmit={() =>
        invite.mutate({ body: { invites: [{ email, permissions: [permission(given, roles)] }] } })}
      busy={invite.isPending}
      disabled={!given.roleId}
      error={!error && invite.error}
    >
      <TextInput
        label="Email"
        type="email"
        required
        withAsterisk={false}
        data-autofocus
        value={email}
        error={error}
        onChange={(event) => setEmail(event.currentTarget.value)}
      />
      <RolePicker value={given} onChange={setGiven} />
    </FormDialog>
  );
}

function Made({ invitation, onClose }: { invitation: InvitationView; onClose: () => void }) {
  return (
    <Stack gap={12}>
      <div>
        Send this link to{" "}
        {invitation.email}. It is good for once, and for a week; an earlier one is no longer. It is shown only
        now.
      </div>
      <Snippet code={invitation.link} label="Copy link" />
      <Group justify="flex-end">
        <Button onClick={onClose}>Done</Button>
      </Group>
    </Stack>
  );
}

function ChangeRole({ person, onClose }: { person: Person; onClose: () => void }) {
  const { items: roles = [] } = useAll("listRoles", {});
  const groups = useAll("listUserGroupsFromUser", { path: { userId: person.id } });
  const save = useChange("replacePermissionsForUser", ["listUsers", "getSession"]);
  // None until it is chosen: what the picker can't show must not be lost with a change of something else.
  const [given, setGiven] = useState<Given>();
  return (
    <FormDialog
      title={person.name}
      action="Save"
      onClose={onClose}
      onSubmit={() =>
        given && save.mutate(
          { path: { userId: person.id }, body: { permissions: [permission(given, roles)] } },
          { onSuccess: onClose },
        )}
      busy={save.isPending}
      disabled={!given?.roleId}
      error={save.error}
    >
      <Replaced permissions={person.permissions} />
      <RolePicker value={given ?? shown(person.permissions)} onChange={setGiven} />
      {groups.items && groups.items.length > 0 && (
        <div className="dim">
          In the groups {groups.items.map((each) => each.name).join(", ")}, which may give more.
        </div>
      )}
    </FormDialog>
  );
}
