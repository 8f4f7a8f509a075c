/**
 * From nothing to the first event delivered: a source, its snippet, the first event live, a destination.
 * The address keeps the source (`?source=ID`), so that one can go away and come back.
 */
import { Button, Group, Select, Stack, TextInput } from "@mantine/core";
import { IconArrowRight, IconPlus } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { LinkButton } from "~/parts/LinkButton.tsx";
import { type FormEvent, useState } from "react";
import { ApiError } from "~/api/client.ts";
import { useAll, useApi, useChange } from "~/api/hooks.ts";
import { useAddress } from "~/parts/address.ts";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { count } from "~/parts/format.ts";
import { Monogram } from "~/parts/Monogram.tsx";
import { PageHead } from "~/parts/PageHead.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import { useFlow } from "../home/flow.ts";
import { EventLine } from "../sources/EventLine.tsx";
import { SnippetTabs } from "../sources/SnippetTabs.tsx";
import { Step } from "./Step.tsx";

export default function Start() {
  const [sourceId, setSourceId] = useAddress("source", "");
  const found = useApi("getSource", { path: { sourceId } }, { enabled: sourceId !== "" });
  const source = sourceId ? found.data?.source : undefined;
  const tail = useApi(
    "listSourceDebuggerEvents",
    { path: { sourceId }, query: { count: 3 } },
    { enabled: sourceId !== "", every: 1000 },
  );
  const events = sourceId ? tail.data?.events ?? [] : [];
  const arrived = events.some((each) => each.verdict === "accepted");
  const destinations = useFlow(1000).destinationsOf(sourceId);
  const delivered = destinations.some((each) => each.delivery.delivered > 0);
  return (
    <div style={{ maxWidth: 720 }}>
      <PageHead title="Connect a source" />
      <ErrorNote error={found.error ?? tail.error} />
      <Step number={1} title="Create a source" done={!!source} open={!source}>
        {source
          ? (
            <Group gap={8}>
              <Monogram name={source.metadata.name} />
              <Link to="/sources/$sourceId" params={{ sourceId: source.id }}>
                {source.name || source.slug}
              </Link>
              <span className="dim">{source.metadata.name}</span>
            </Group>
          )
          : <CreateSource onDone={setSourceId} />}
      </Step>
      <Step number={2} title="Send an event" done={arrived} open={!!source}>
        {source && <SnippetTabs source={source} />}
      </Step>
      <Step number={3} title="See it arrive" done={arrived} open={!!source}>
        {source && (events.length
          ? (
            <div className="panel">
              {events.slice(0, 3).map((each, at) => <EventLine key={at} event={each} />)}
            </div>
          )
          : <StateChip state="pending">Waiting for the first event</StateChip>)}
      </Step>
      <Step number={4} title="Add a destination" done={destinations.length > 0} open={arrived}>
        {destinations.length === 0
          ? source && (
            <LinkButton
              to="/destinations/add"
              search={{ source: sourceId }}
              variant={arrived ? "filled" : "default"}
              leftSection={<IconPlus size={16} />}
            >
              Add destination
            </LinkButton>
          )
          : (
            <Stack gap={4}>
              {destinations.map((each) => (
                <Group key={each.id} gap={8}>
                  <Monogram name={each.kindName} />
                  <Link to="/destinations/$destinationId" params={{ destinationId: each.id }}>
                    {each.name || each.kindName}
                  </Link>
                  {!each.enabled && <StateChip state="filtered">Disabled</StateChip>}
                </Group>
              ))}
            </Stack>
          )}
      </Step>
      <Step number={5} title="See it delivered" done={delivered} open={destinations.length > 0} last>
        {destinations.length > 0 && (delivered
          ? (
            <Group gap={12}>
              <StateChip state="delivered">
                {count(destinations.reduce((sum, each) => sum + each.delivery.delivered, 0))} delivered
              </StateChip>
              <LinkButton to="/" variant="subtle" rightSection={<IconArrowRight size={16} />}>
                See all connections
              </LinkButton>
            </Group>
          )
          : (
            <Group gap={8}>
              <StateChip state="pending">Waiting</StateChip>
              <span className="dim">
                Send another event: what came before a destination was enabled is not sent to it.
              </span>
            </Group>
          ))}
      </Step>
    </div>
  );
}

function CreateSource({ onDone }: { onDone: (id: string) => void }) {
  const { items: kinds } = useAll("getSourcesCatalog", {});
  const create = useChange("createSource", ["listSources", "getConnections"]);
  const [kind, setKind] = useState("javascript");
  const [name, setName] = useState("");
  const chosen = kinds?.find((each) => each.slug === kind);
  const groups = Map.groupBy(kinds ?? [], (each) => each.categories[0] ?? "Other");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({ body: { slug: slugOf(name), name, metadataId: chosen!.id, enabled: true } }, {
      onSuccess: ({ source }) => onDone(source.id),
    });
  };
  const error = create.error instanceof ApiError ? create.error : undefined;
  return (
    <form onSubmit={submit}>
      <Stack gap={12} maw={400}>
        <TextInput
          label="Name"
          placeholder="Shop, website"
          required
          withAsterisk={false}
          autoFocus
          value={name}
          error={error?.of("name") ?? error?.of("slug")}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Select
          label="Sends with"
          description={chosen?.description}
          searchable
          value={kind}
          onChange={(value) => value && setKind(value)}
          data={[...groups].map(([group, items]) => ({
            group,
            items: items.map((each) => ({ value: each.slug, label: each.name })),
          }))}
        />
        {!error?.of("name") && !error?.of("slug") && <ErrorNote error={create.error} />}
        <Group>
          <Button type="submit" loading={create.isPending} disabled={!chosen}>Create source</Button>
        </Group>
      </Stack>
    </form>
  );
}

/** `Shop, website` → `shop-website` */
export function slugOf(name: string): string {
  const plain = name.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  return plain.replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60) || "source";
}
