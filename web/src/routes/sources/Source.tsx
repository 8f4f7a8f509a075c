/** One source: the head above its parts. */
import { IconPlugConnectedX } from "@tabler/icons-react";
import { Outlet, useParams } from "@tanstack/react-router";
import { ApiError } from "~/api/client.ts";
import { useApi } from "~/api/hooks.ts";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { Monogram } from "~/parts/Monogram.tsx";
import { PageHead } from "~/parts/PageHead.tsx";
import { StateChip } from "~/parts/StateChip.tsx";

export default function Source() {
  const { sourceId } = useParams({ strict: false }) as { sourceId: string };
  const { data, error, refetch } = useApi("getSource", { path: { sourceId } });
  if (error instanceof ApiError && error.status === 404) {
    return (
      <EmptyState icon={IconPlugConnectedX} title="There is no such source">
        It may have been deleted, or it is of another workspace.
      </EmptyState>
    );
  }
  const source = data?.source;
  const base = `/sources/${sourceId}`;
  return (
    <>
      <PageHead
        title={source ? source.name || source.slug : "Source"}
        mark={source && <Monogram name={source.metadata.name} size={28} />}
        note={source && !source.enabled && <StateChip state="filtered">Disabled</StateChip>}
        crumbs={[{ label: "Sources", to: "/sources" }]}
        tabs={[
          { label: "Overview", to: `${base}/overview` },
          { label: "Debugger", to: `${base}/debugger` },
          { label: "Schema", to: `${base}/schema` },
          { label: "Settings", to: `${base}/settings` },
        ]}
      />
      <ErrorNote error={error} retry={refetch} />
      <Outlet />
    </>
  );
}
