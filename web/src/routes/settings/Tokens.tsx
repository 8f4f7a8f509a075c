/** Tokens of the Public API, for programs. */
import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { IconKey, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { ApiError } from "~/api/client.ts";
import type { TokenView } from "~/api/generated.ts";
import { useAll, useChange } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { ConfirmByName } from "~/parts/ConfirmByName.tsx";
import { Snippet } from "~/parts/Copy.tsx";
import { type Column, DataTable } from "~/parts/DataTable.tsx";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { FormDialog } from "~/parts/FormDialog.tsx";
import { Time } from "~/parts/Time.tsx";
import { type Given, inWords, permission, RolePicker } from "./RolePicker.tsx";

export default function Tokens() {
  const { may } = useSession();
  const tokens = useAll("listTokens", {});
  const remove = useChange("deleteToken", ["listTokens"]);
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<TokenView>();
  const add = may("people:write") && (
    <Button
      leftSection={<IconPlus size={16} />}
      onClick={() => setAdding(true)}
    >
      Create token
    </Button>
  );
  const columns: Column<TokenView>[] = [
    { key: "name", head: "Token", cell: (each) => <span style={{ fontWeight: 500 }}>{each.name}</span> },
    {
      key: "roles",
      head: "Role",
      width: "minmax(0, 2fr)",
      wide: true,
      cell: (each) => inWords(each.permissions),
    },
    {
      key: "at",
      head: "Created",
      width: "96px",
      align: "right",
      cell: (each) => <Time at={each.createdAt} />,
    },
    {
      key: "actions",
      head: "",
      width: "80px",
      align: "right",
      cell: (each) =>
        may("people:write") && (
          <Button
            variant="subtle"
            color="gray"
            onClick={() => setRemoving(each)}
            aria-label={`Delete ${each.name}`}
          >
            Delete
          </Button>
        ),
    },
  ];
  return (
    <>
      <ErrorNote error={tokens.error} />
      {tokens.items?.length === 0 && (
        <EmptyState icon={IconKey} title="No tokens yet" action={add}>
          With a token a program may do what its role allows, such as Segment's SDKs and Terraform.{" "}
          <a href="/api/docs">The Public API</a> lists everything.
        </EmptyState>
      )}
      {tokens.items && tokens.items.length > 0 && (
        <>
          <Group justify="flex-end" mb={12}>{add}</Group>
          <DataTable label="Tokens" columns={columns} rows={tokens.items} rowKey={(each) => each.id} />
        </>
      )}
      {adding && <CreateToken onClose={() => setAdding(false)} />}
      <ConfirmByName
        name={removing?.name ?? ""}
        title={`Delete ${removing?.name}`}
        action="Delete token"
        open={!!removing}
        onClose={() => setRemoving(undefined)}
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() =>
          remove.mutate({ path: { tokenId: removing!.id } }, { onSuccess: () => setRemoving(undefined) })}
      >
        Programs that use it are refused from now on.
      </ConfirmByName>
    </>
  );
}

function CreateToken({ onClose }: { onClose: () => void }) {
  const { items: roles = [] } = useAll("listRoles", {});
  const create = useChange("createToken", ["listTokens"]);
  const [name, setName] = useState("");
  const [given, setGiven] = useState<Given>({ roleId: "", resources: [] });
  const secret = create.data?.secret;
  if (secret) {
    return (
      <Modal opened onClose={onClose} title={name}>
        <Stack gap={12}>
          <div>Keep it in a safe place: it is shown only now.</div>
          <Snippet code={secret} label="Copy token" />
          <Group justify="flex-end">
            <Button onClick={onClose}>Done</Button>
          </Group>
        </Stack>
      </Modal>
    );
  }
  const error = create.error instanceof ApiError ? create.error.of("name") : undefined;
  return (
    <FormDialog
      title="Create token"
      action="Create token"
      onClose={onClose}
      onSubmit={() => create.mutate({ body: { name, ...permission(given, roles) } })}
      busy={create.isPending}
      disabled={!given.roleId}
      error={!error && create.error}
    >
      <TextInput
        label="Name"
        placeholder="Terraform"
        required
        withAsterisk={false}
        data-autofocus
        value={name}
        error={error}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <RolePicker value={given} onChange={setGiven} />
    </FormDialog>
  );
}
