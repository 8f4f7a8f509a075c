/** Who may come in, and who is invited. */
import { ActionIcon, Button, Group, Menu, Modal, Stack, TextInput } from "@mantine/core";
import { IconDots, IconPlus } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { ApiError } from "~/api/client.ts";
import type { InvitationView, PermissionView } from "~/api/generated.ts";
import { useAll, useChange } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { useAddress } from "~/parts/address.ts";
import { ConfirmByName } from "~/parts/ConfirmByName.tsx";
import { Snippet } from "~/parts/Copy.tsx";
import { type Column, DataTable } from "~/parts/DataTable.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import { type Given, inWords, permission, RolePicker } from "./RolePicker.tsx";

interface Person {
  id: string;
  name: string;
  email: string;
  permissions: PermissionView[];
  invited: boolean;
}

const NOTHING: Given = { roleId: "", resources: [] };

export default function People() {
  const { may, userId } = useSession();
  const users = useAll("listUsers", {});
  const invites = useAll("listInvites", {});
  const [inviting, setInviting] = useState(false);
  const [changed, setChanged] = useAddress("person", "");
  const [removing, setRemoving] = useState<Person>();
  const removeUser = useChange("deleteUsers", ["listUsers"]);
  const removeInvite = useChange("deleteInvites", ["listInvites"]);
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
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon aria-label={`Change ${each.email}`}>
                <IconDots size={16} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              {!each.invited && <Menu.Item onClick={() => setChanged(each.id)}>Change role</Menu.Item>}
              {each.invited
                ? (
                  <Menu.Item onClick={() => removeInvite.mutate({ query: { emails: [each.email] } })}>
                    Take back invitation
                  </Menu.Item>
                )
                : <Menu.Item color="red" onClick={() => setRemoving(each)}>Remove from workspace</Menu.Item>}
            </Menu.Dropdown>
          </Menu>
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
      <ErrorNote error={users.error ?? invites.error ?? removeInvite.error} />
      {users.items && (
        <DataTable
          label="People"
          columns={columns}
          rows={people}
          rowKey={(each) => each.id}
          open={changed}
        />
      )}
      <Invite open={inviting} onClose={() => setInviting(false)} />
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

function Invite({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { items: roles = [] } = useAll("listRoles", {});
  const invite = useChange("createInvites", ["listInvites"]);
  const [email, setEmail] = useState("");
  const [given, setGiven] = useState(NOTHING);
  const [made, setMade] = useState<InvitationView>();
  const close = () => {
    setEmail("");
    setGiven(NOTHING);
    setMade(undefined);
    invite.reset();
    onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    invite.mutate({ body: { invites: [{ email, permissions: [permission(given, roles)] }] } }, {
      onSuccess: ({ invitations }) => setMade(invitations[0]),
    });
  };
  const error = invite.error instanceof ApiError ? invite.error.of("email") : undefined;
  return (
    <Modal
      opened={open}
      onClose={close}
      title={made ? "Invitation" : "Invite somebody"}
      styles={{ title: { fontWeight: 600 } }}
    >
      {made
        ? (
          <Stack gap={12}>
            <div>
              Send this link to {made.email}. It is good for once, and for a week. It is shown only now.
            </div>
            <Snippet code={made.link} label="Copy link" />
            <Group justify="flex-end">
              <Button onClick={close}>Done</Button>
            </Group>
          </Stack>
        )
        : (
          <form onSubmit={submit}>
            <Stack gap={12}>
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
              {!error && <ErrorNote error={invite.error} />}
              <Group justify="flex-end" gap={8}>
                <Button variant="default" onClick={close}>Cancel</Button>
                <Button type="submit" loading={invite.isPending} disabled={!given.roleId}>
                  Make invitation
                </Button>
              </Group>
            </Stack>
          </form>
        )}
    </Modal>
  );
}

function ChangeRole({ person, onClose }: { person: Person; onClose: () => void }) {
  const { items: roles = [] } = useAll("listRoles", {});
  const save = useChange("replacePermissionsForUser", ["listUsers", "getSession"]);
  const first = person.permissions[0];
  const [given, setGiven] = useState<Given>({
    roleId: first?.roleId ?? "",
    resources: first?.resources.filter((each) => each.type !== "WORKSPACE").map((each) => each.id) ?? [],
  });
  return (
    <Modal opened onClose={onClose} title={person.name} styles={{ title: { fontWeight: 600 } }}>
      <Stack gap={12}>
        {person.permissions.length > 1 && (
          <div className="dim">Now: {inWords(person.permissions)}. What you save replaces all of it.</div>
        )}
        <RolePicker value={given} onChange={setGiven} />
        <ErrorNote error={save.error} />
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>Cancel</Button>
          <Button
            disabled={!given.roleId}
            loading={save.isPending}
            onClick={() =>
              save.mutate(
                { path: { userId: person.id }, body: { permissions: [permission(given, roles)] } },
                { onSuccess: onClose },
              )}
          >
            Save
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
