/** All functions of the workspace, what they use, and a new one. */
import { Button, SegmentedControl } from "@mantine/core";
import { IconCode, IconPlus } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import type { FunctionItem } from "~/api/generated.ts";
import { useAll, useApi } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { Create } from "~/functions/Create.tsx";
import { type Kind, KINDS } from "~/functions/kinds.ts";
import { useUsage } from "~/functions/UsePanel.tsx";
import { useAddress } from "~/parts/address.ts";
import { type Column, DataTable } from "~/parts/DataTable.tsx";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { count, duration } from "~/parts/format.ts";
import { PageHead } from "~/parts/PageHead.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import { Time } from "~/parts/Time.tsx";

export default function Functions() {
  const { may } = useSession();
  const navigate = useNavigate();
  const [kind, setKind] = useAddress<Kind | "">("kind", "");
  const [creating, setCreating] = useAddress<Kind | "">("new", "");
  const { items, error, refetch } = useAll("listFunctions", {});
  const { usage, of } = useUsage();
  const write = may("function:write");
  const add = write && (
    <Button
      leftSection={<IconPlus size={16} />}
      onClick={() => setCreating(kind || "DESTINATION")}
    >
      New function
    </Button>
  );
  const columns: Column<FunctionItem>[] = [
    {
      key: "name",
      head: "Function",
      width: "minmax(0, 2fr)",
      cell: (each) => <span style={{ fontWeight: 500 }}>{each.displayName}</span>,
    },
    { key: "kind", head: "Kind", width: "120px", wide: true, cell: (each) => KINDS[each.resourceType].word },
    { key: "state", head: "State", width: "136px", cell: (each) => <Standing id={each.id} /> },
    {
      key: "invocations",
      head: "Invocations",
      width: "104px",
      align: "right",
      wide: true,
      cell: (each) => of(each.id) ? count(of(each.id)!.invocations) : "–",
    },
    {
      key: "time",
      head: "Run time",
      width: "104px",
      align: "right",
      wide: true,
      cell: (each) => {
        const used = of(each.id);
        return used
          ? used.lockedOut ? <b style={{ color: "var(--discarded)" }}>locked out</b> : duration(used.wallMs)
          : "–";
      },
    },
    {
      key: "made",
      head: "Made",
      width: "88px",
      align: "right",
      wide: true,
      cell: (each) => <Time at={each.createdAt} />,
    },
  ];
  const shown = items?.filter((each) => !kind || each.resourceType === kind);
  return (
    <>
      <PageHead
        title="Functions"
        note={usage && usage.workspace.invocations > 0 && (
          <span className="num dim">
            {count(usage.workspace.invocations)} invocations this month
            {usage.workspace.percent !== null && ` · ${usage.workspace.percent} % of the quota`}
          </span>
        )}
        actions={items && items.length > 0 && add}
      />
      <ErrorNote error={error} retry={refetch} />
      {usage?.workspace.lockedOut && (
        <ErrorNote error="The workspace's quota of run time is used up: functions are not called until next month. Who runs this installation can raise it" />
      )}
      {items?.length === 0 && (
        <EmptyState icon={IconCode} title="Send events anywhere, with a few lines of JavaScript" action={add}>
          A function gets events, and calls any API with them; changes or drops them on their way; or makes
          events of webhooks. Fourteen templates work as they are.
        </EmptyState>
      )}
      {items && items.length > 0 && (
        <>
          <div style={{ overflowX: "auto", marginBottom: 12 }}>
            <SegmentedControl
              size="xs"
              aria-label="Kind"
              value={kind}
              onChange={(value) => setKind(value as Kind | "")}
              data={[
                { value: "", label: "All" },
                ...(Object.keys(KINDS) as Kind[]).map((value) => ({ value, label: KINDS[value].word })),
              ]}
            />
          </div>
          {shown!.length > 0
            ? (
              <DataTable
                label="Functions"
                columns={columns}
                rows={shown!}
                rowKey={(each) => each.id}
                onOpen={(each) => navigate({ to: "/functions/$functionId", params: { functionId: each.id } })}
              />
            )
            : (
              <EmptyState
                icon={IconCode}
                title={`No ${KINDS[kind as Kind].word.toLowerCase()} functions yet`}
                action={add}
              >
                {KINDS[kind as Kind].does}
              </EmptyState>
            )}
        </>
      )}
      {creating && <Create kind={creating} onKind={setCreating} onClose={() => setCreating("")} />}
    </>
  );
}

/** Of a row in sight: whether what was saved last is what runs. */
function Standing({ id }: { id: string }) {
  const { data } = useApi("getFunction", { path: { functionId: id } });
  if (!data) return null;
  const { deployedAt, isLatestVersion, instancesBehind } = data.function;
  if (!deployedAt) return <StateChip state="filtered">Not deployed</StateChip>;
  if (!isLatestVersion) return <StateChip state="pending">Newer saved</StateChip>;
  return instancesBehind > 0
    ? <StateChip state="retrying">{instancesBehind} behind</StateChip>
    : <StateChip state="delivered">Deployed</StateChip>;
}
