/**
 * Adds a destination: choose it, choose the source, name it, save; then its settings, where it is enabled.
 * The address knows how far one is: `?kind=SLUG&source=ID&step=name`.
 */
import { Button, Group, Radio, Select, Stack, TextInput } from "@mantine/core";
import { IconPlugConnected, IconPlus } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { ApiError } from "~/api/client.ts";
import type { ConnectedSource, DestinationMetadata } from "~/api/generated.ts";
import { useApi, useChange } from "~/api/hooks.ts";
import { useAddress } from "~/parts/address.ts";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { LinkButton } from "~/parts/LinkButton.tsx";
import { Monogram } from "~/parts/Monogram.tsx";
import { PageHead } from "~/parts/PageHead.tsx";
import { Cards } from "../catalogue/Cards.tsx";
import { useCatalogue } from "../catalogue/catalogue.ts";
import { Facets } from "../catalogue/Facets.tsx";
import { useFlow } from "../home/flow.ts";
import css from "./Add.module.css";

const STEPS = ["Choose", "Source", "Name", "Settings"];

export default function Add() {
  const [kind] = useAddress("kind", "");
  const [source] = useAddress("source", "");
  const [step] = useAddress("step", "");
  const at = !kind ? 0 : step === "name" && source ? 2 : 1;
  return (
    <>
      <PageHead title="Add destination" crumbs={[{ label: "Destinations", to: "/destinations" }]} />
      <ol className={css.steps} aria-label="Steps">
        {STEPS.map((each, index) => (
          <li key={each} aria-current={index === at ? "step" : undefined} data-done={index < at || undefined}>
            <span>{index + 1}</span> {each}
          </li>
        ))}
      </ol>
      {at === 0 ? <Choose source={source} /> : <Connect kind={kind} at={at} />}
    </>
  );
}

function Choose({ source }: { source: string }) {
  const catalogue = useCatalogue();
  return (
    <>
      <Facets catalogue={catalogue} autoFocus />
      <ErrorNote error={catalogue.error} retry={catalogue.refetch} />
      <div style={{ marginTop: 12 }}>
        {catalogue.charts?.methods.length === 0 && (
          <EmptyState title="No destination matches">
            Whatever has an HTTP API can be reached with the Webhook, or with a function of your own.
          </EmptyState>
        )}
        {catalogue.charts && (
          <Cards
            charts={catalogue.charts}
            to={(slug) => ({
              to: "/destinations/add",
              search: { kind: slug, source, step: source ? "name" : "" },
            })}
          />
        )}
      </div>
    </>
  );
}

function Connect({ kind, at }: { kind: string; at: number }) {
  const { data, error } = useApi("getDestinationMetadata", { path: { metadataId: kind } });
  const flow = useFlow();
  const entry = data?.destinationMetadata;
  return (
    <>
      <ErrorNote error={error ?? flow.error} />
      {entry && flow.sources && (
        <div style={{ maxWidth: 560 }}>
          <Group gap={12} mb={24} wrap="nowrap">
            <Monogram name={entry.name} size={40} />
            <div style={{ minWidth: 0 }}>
              <h2 style={{ margin: 0, fontSize: 16 }}>{entry.name}</h2>
              <p className="dim" style={{ margin: 0 }}>{entry.description || entry.categories.join(", ")}</p>
            </div>
          </Group>
          {flow.sources.length === 0
            ? (
              <EmptyState
                icon={IconPlugConnected}
                title="First a source"
                action={
                  <LinkButton to="/start" leftSection={<IconPlus size={16} />}>Connect a source</LinkButton>
                }
              >
                A destination gets the events of one source, and there is none yet.
              </EmptyState>
            )
            : at === 1
            ? <ChooseSource sources={flow.sources} />
            : <Name entry={entry} sources={flow.sources} />}
        </div>
      )}
    </>
  );
}

function ChooseSource({ sources }: { sources: ConnectedSource[] }) {
  const navigate = useNavigate();
  const [source, setSource] = useAddress("source", "");
  const chosen = sources.some((each) => each.id === source)
    ? source
    : sources.length === 1
    ? sources[0]!.id
    : "";
  const [search, setSearch] = useState("");
  const shown = sources.filter((each) =>
    `${each.name} ${each.slug} ${each.kindName}`.toLowerCase().includes(search.trim().toLowerCase())
  );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void navigate({
          to: ".",
          search: ((before: object) => ({ ...before, source: chosen, step: "name" })) as never,
        });
      }}
    >
      <Stack gap={16}>
        {sources.length > 8 && (
          <TextInput
            label="Find a source"
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
          />
        )}
        <Radio.Group
          label="Which source's events does it get?"
          description="One source each; to send those of another source too, add it once more."
          value={chosen}
          onChange={setSource}
        >
          <div className={`panel ${css.sources}`}>
            {shown.map((each) => (
              <label key={each.id} className={css.source}>
                <Radio value={each.id} aria-label={each.name || each.slug} />
                <Monogram name={each.kindName} />
                <span className="cut" style={{ fontWeight: 500 }}>{each.name || each.slug}</span>
                <span className="dim cut">{each.kindName}</span>
              </label>
            ))}
          </div>
        </Radio.Group>
        <Group gap={8}>
          <Button type="submit" disabled={!chosen}>Next</Button>
          <LinkButton to="/destinations/add" search={{ source } as never} variant="default">
            Choose another
          </LinkButton>
        </Group>
      </Stack>
    </form>
  );
}

function Name({ entry, sources }: { entry: DestinationMetadata; sources: ConnectedSource[] }) {
  const navigate = useNavigate();
  const flow = useFlow();
  const [sourceId, setSource] = useAddress("source", "");
  const [, setStep] = useAddress("step", "");
  const source = sources.find((each) => each.id === sourceId);
  const same = flow.destinations.filter((each) => each.kind === entry.slug);
  const taken = same.filter((each) => each.sourceId === sourceId).length;
  const [name, setName] = useState(taken ? `${entry.name} ${taken + 1}` : entry.name);
  const [copied, setCopied] = useState("");
  const create = useChange("createDestination", ["listDestinations", "getConnections"]);
  const error = create.error instanceof ApiError ? create.error : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({
      body: {
        sourceId,
        metadataId: entry.id,
        name,
        enabled: false,
        applyPresets: true,
        ...(copied ? { copySettingsFrom: copied } : {}),
      },
    }, {
      onSuccess: ({ destination }) => void navigate({ to: `/destinations/${destination.id}/settings` }),
    });
  };
  if (!source) {
    return (
      <EmptyState
        title="There is no such source"
        action={
          <Button
            onClick={() => {
              setSource("");
              setStep("");
            }}
          >
            Choose a source
          </Button>
        }
      />
    );
  }
  return (
    <form onSubmit={submit}>
      <Stack gap={16}>
        <TextInput
          label="Name"
          description={`Its own among the destinations of ${source.name || source.slug}.`}
          value={name}
          autoFocus
          error={error?.of("name")}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {same.length > 0 && (
          <Select
            label="Settings"
            description="Those of another can be taken over, secrets included."
            value={copied}
            onChange={(value) => setCopied(value ?? "")}
            data={[
              { value: "", label: "Fill in anew" },
              ...same.map((each) => {
                const from = sources.find((one) => one.id === each.sourceId);
                const of = from ? ` (${from.name || from.slug})` : "";
                return { value: each.id, label: `As ${each.name || each.kindName}${of}` };
              }),
            ]}
          />
        )}
        <p className="dim" style={{ margin: 0 }}>
          It is saved disabled{entry.presets.some((each) => each.onward.automatic)
            ? ", with its preset mappings to look through"
            : ""}. Nothing is sent until you enable it.
        </p>
        {!error?.of("name") && <ErrorNote error={create.error} />}
        <Group gap={8}>
          <Button type="submit" disabled={!name.trim()} loading={create.isPending}>Save</Button>
          <Button variant="default" onClick={() => setStep("")}>Back</Button>
        </Group>
      </Stack>
    </form>
  );
}
