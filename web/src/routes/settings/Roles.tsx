/** Which roles there are, and what each may. */
import type { RoleView } from "~/api/generated.ts";
import { useAll } from "~/api/hooks.ts";
import { type Column, DataTable } from "~/parts/DataTable.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";

const COLUMNS: Column<RoleView>[] = [
  {
    key: "name",
    head: "Role",
    width: "minmax(0, 1fr)",
    cell: (each) => <span style={{ fontWeight: 500 }}>{each.name}</span>,
  },
  {
    key: "may",
    head: "May",
    width: "minmax(0, 2fr)",
    cell: (each) => <span style={{ whiteSpace: "normal", display: "block" }}>{each.description}</span>,
  },
];

export default function Roles() {
  const { items, error } = useAll("listRoles", {});
  return (
    <>
      <ErrorNote error={error} />
      {items && (
        <DataTable
          label="Roles"
          columns={COLUMNS}
          rows={items}
          rowKey={(each) => each.id}
          rowHeight={56}
        />
      )}
    </>
  );
}
