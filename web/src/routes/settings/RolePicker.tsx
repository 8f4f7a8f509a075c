/** A role, and what it is for: the whole workspace, or some sources or functions. */
import { MultiSelect, Select, Stack } from "@mantine/core";
import type { PermissionIn, PermissionView, RoleView } from "~/api/generated.ts";
import { useAll } from "~/api/hooks.ts";

/** Kinds that roles can be granted for, by how their names begin. */
const KINDS = [
  ["Source", "SOURCE"],
  ["PII", "SOURCE"],
  ["Function", "FUNCTION"],
  ["Warehouse", "WAREHOUSE"],
] as const;

function kindOf(role: RoleView | undefined): (typeof KINDS)[number][1] | undefined {
  return KINDS.find(([begin]) => role?.name.startsWith(begin))?.[1];
}

export interface Given {
  roleId: string;
  /** Ids; none for the whole workspace. */
  resources: string[];
}

/** As the API takes it. */
export function permission(given: Given, roles: RoleView[]): PermissionIn {
  const kind = kindOf(roles.find((each) => each.id === given.roleId));
  return {
    roleId: given.roleId,
    ...(kind && given.resources.length
      ? { resources: given.resources.map((id) => ({ id, type: kind })) }
      : {}),
  };
}

/** What the picker shows of what somebody was granted. */
export function shown([first]: PermissionView[]): Given {
  const some = first?.resources.filter((each) => each.type !== "WORKSPACE" && !each.labels) ?? [];
  return { roleId: first?.roleId ?? "", resources: some.map((each) => each.id) };
}

/** In words: "Source Admin of 2 sources", "Source Admin by team:shop". */
export function inWords(permissions: PermissionView[]): string {
  return permissions.map(({ roleName, resources }) => {
    const labels = resources.flatMap((each) =>
      each.labels ? [each.labels.map(({ key, value }) => `${key}:${value}`).join(" and ")] : []
    );
    const some = resources.filter((each) => each.type !== "WORKSPACE" && !each.labels);
    const kind = some[0]?.type.toLowerCase();
    const parts = [
      ...(some.length ? [`of ${some.length} ${kind}${some.length === 1 ? "" : "s"}`] : []),
      ...(labels.length ? [`by ${labels.join(" or ")}`] : []),
    ];
    return [roleName, parts.join(", ")].filter(Boolean).join(" ");
  }).join(", ") || "No role";
}

/** Of who has what the picker can't show: several roles, or one by labels. */
export function Replaced({ permissions }: { permissions: PermissionView[] }) {
  const labelled = permissions.some((each) => each.resources.some((resource) => resource.labels));
  if (permissions.length < 2 && !labelled) return null;
  return <div className="dim">Now: {inWords(permissions)}. What you choose replaces all of it.</div>;
}

export function RolePicker(
  { value, onChange, none }: {
    value: Given;
    onChange: (value: Given) => void;
    /** What it is called to choose none; left out where one is needed. */
    none?: string;
  },
) {
  const { items: roles = [] } = useAll("listRoles", {});
  const role = roles.find((each) => each.id === value.roleId);
  const kind = kindOf(role);
  const sources = useAll("listSources", {}, { enabled: kind === "SOURCE" });
  const functions = useAll("listFunctions", { query: { resourceType: "DESTINATION" } } as never, {
    enabled: kind === "FUNCTION",
  });
  const warehouses = useAll("listWarehouses", {}, { enabled: kind === "WAREHOUSE" });
  const choices: { value: string; label: string }[] = kind === "SOURCE"
    ? (sources.items ?? []).map((each) => ({ value: each.id, label: each.name || each.slug }))
    : kind === "FUNCTION"
    ? (functions.items ?? []).map((each) => ({
      value: each.id ?? "",
      label: each.displayName ?? each.id ?? "",
    }))
    : (warehouses.items ?? []).map((each) => ({
      value: each.id,
      label: String(each.settings.name ?? each.id),
    }));
  return (
    <Stack gap={12}>
      <Select
        label="Role"
        description={role?.description}
        value={none === undefined ? value.roleId || null : value.roleId}
        placeholder="Choose a role"
        onChange={(roleId) => onChange({ roleId: roleId ?? "", resources: [] })}
        data={[
          ...(none === undefined ? [] : [{ value: "", label: none }]),
          ...roles.map((each) => ({ value: each.id, label: each.name })),
        ]}
      />
      {kind && (
        <MultiSelect
          label="For"
          description="None chosen: for all, also those to come."
          placeholder={value.resources.length ? undefined : "All"}
          value={value.resources}
          onChange={(resources) => onChange({ ...value, resources })}
          data={choices}
          searchable
        />
      )}
    </Stack>
  );
}
