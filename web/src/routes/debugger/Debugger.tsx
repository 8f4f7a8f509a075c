/** The latest events of any source, which stands in the address. */
import { Select } from "@mantine/core";
import { IconPlugConnected } from "@tabler/icons-react";
import { useAll } from "~/api/hooks.ts";
import { useAddress } from "~/parts/address.ts";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { LinkButton } from "~/parts/LinkButton.tsx";
import { PageHead } from "~/parts/PageHead.tsx";
import { TailView } from "../sources/TailView.tsx";

export default function Debugger() {
  const { items, error, refetch } = useAll("listSources", {});
  const [chosen, setChosen] = useAddress("source", "");
  const source = items?.find((each) => each.id === chosen) ?? items?.[0];
  return (
    <>
      <PageHead
        title="Debugger"
        actions={source && (
          <Select
            aria-label="Source"
            value={source.id}
            onChange={(value) => setChosen(value ?? "")}
            data={items!.map((each) => ({ value: each.id, label: each.name || each.slug }))}
            searchable
            w={240}
          />
        )}
      />
      <ErrorNote error={error} retry={refetch} />
      {items?.length === 0 && (
        <EmptyState
          icon={IconPlugConnected}
          title="No sources yet"
          action={<LinkButton to="/start">Connect a source</LinkButton>}
        >
          Once a source sends events, they are seen here as they come.
        </EmptyState>
      )}
      {source && <TailView key={source.id} sourceId={source.id} source={source} />}
    </>
  );
}
