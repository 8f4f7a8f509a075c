/** One destination of the catalogue: quick info, then what it needs, what it can do, and its presets. */
import { Accordion } from "@mantine/core";
import { IconCheck, IconExternalLink, IconMinus, IconMoodEmpty } from "@tabler/icons-react";
import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { ApiError } from "~/api/client.ts";
import type { ActionView, DestinationMetadata } from "~/api/generated.ts";
import { useApi } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { LinkButton } from "~/parts/LinkButton.tsx";
import { Monogram } from "~/parts/Monogram.tsx";
import { PageHead } from "~/parts/PageHead.tsx";
import { Section } from "~/parts/Section.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import { useFlow } from "../home/flow.ts";
import { statusWord } from "./Cards.tsx";
import css from "./Entry.module.css";

const METHODS = ["track", "pageview", "screen", "identify", "group", "alias"] as const;

export default function Entry() {
  const { slug } = useParams({ strict: false }) as { slug: string };
  const { may } = useSession();
  const { data, error, refetch } = useApi("getDestinationMetadata", { path: { metadataId: slug } });
  const flow = useFlow();
  if (error instanceof ApiError && error.status === 404) {
    return <EmptyState icon={IconMoodEmpty} title="The catalogue has no such destination" />;
  }
  const entry = data?.destinationMetadata;
  const connected = flow.destinations.filter((each) => each.kind === entry?.slug);
  return (
    <>
      <PageHead
        title={entry?.name ?? "Destination"}
        mark={entry && <Monogram name={entry.name} size={32} />}
        note={entry && statusWord(entry.status) && (
          <StateChip state="filtered">{statusWord(entry.status)}</StateChip>
        )}
        crumbs={[{ label: "Catalogue", to: "/catalogue" }]}
        actions={entry && may("destination:write") && (
          <LinkButton to="/destinations/add" search={{ kind: entry.slug } as never}>Configure</LinkButton>
        )}
      />
      <ErrorNote error={error} retry={refetch} />
      {entry && (
        <div className={css.page}>
          <div style={{ minWidth: 0 }}>
            <p className={css.lead}>
              {entry.description ||
                `Sends events to ${entry.name}: each mapping says which events, by which of its actions.`}
            </p>
            {connected.length > 0 && (
              <Section title="Connected here">
                {connected.map((each) => (
                  <div key={each.id}>
                    <Link to="/destinations/$destinationId" params={{ destinationId: each.id }}>
                      {each.name || each.kindName}
                    </Link>
                  </div>
                ))}
              </Section>
            )}
            <Documentation entry={entry} />
          </div>
          <QuickInfo entry={entry} />
        </div>
      )}
    </>
  );
}

function Documentation({ entry }: { entry: DestinationMetadata }) {
  const actions = entry.actions.filter((each) => !each.hidden);
  return (
    <>
      <Section title="Settings">
        {entry.options.length === 0 && <p className="dim">None; all that it needs is in its mappings.</p>}
        <dl className={css.fields}>
          {entry.options.map((each) => (
            <div key={each.name}>
              <dt>
                {each.label || each.name} <code className="dim">{each.name}</code>
              </dt>
              <dd className="dim">
                {each.required ? "Required. " : ""}
                {each.description}
                {each.choices && ` One of: ${each.choices.map((choice) => choice.label).join(", ")}.`}
              </dd>
            </div>
          ))}
        </dl>
      </Section>
      {actions.length > 0 && (
        <Section title="Actions" note="What a mapping can have it do.">
          <Accordion variant="contained" radius={8} chevronPosition="left" bg="var(--surface)">
            {actions.map((each) => <Action key={each.id} action={each} />)}
          </Accordion>
        </Section>
      )}
      {entry.presets.length > 0 && (
        <Section title="Presets" note="Mappings that are made with a new destination, disabled.">
          <dl className={css.fields}>
            {entry.presets.map((each, at) => (
              <div key={at}>
                <dt>{each.name}</dt>
                <dd>
                  <code className="dim">{each.trigger || `for ${each.onward.event}`}</code>
                </dd>
              </div>
            ))}
          </dl>
        </Section>
      )}
    </>
  );
}

function Action({ action }: { action: ActionView }) {
  return (
    <Accordion.Item value={action.id}>
      <Accordion.Control>
        <span style={{ fontWeight: 500 }}>{action.name}</span>
        <span className="dim small" style={{ display: "block" }}>{action.description}</span>
      </Accordion.Control>
      <Accordion.Panel>
        {action.defaultTrigger && (
          <p style={{ marginTop: 0 }}>
            <span className="dim">When</span> <code>{action.defaultTrigger}</code>
          </p>
        )}
        <dl className={css.fields}>
          {action.fields.filter((each) => !each.hidden).map((each) => (
            <div key={each.id}>
              <dt>
                {each.label} <code className="dim">{each.fieldKey}</code>
              </dt>
              <dd className="dim">
                {each.type.toLowerCase()}
                {each.multiple ? " list" : ""}
                {each.required ? ", required" : ""}. {each.description}
              </dd>
            </div>
          ))}
        </dl>
      </Accordion.Panel>
    </Accordion.Item>
  );
}

function QuickInfo({ entry }: { entry: DestinationMetadata }) {
  const { onward } = entry;
  const modes = (mode: string) => Object.entries(onward.connectionModes[mode] ?? {}).filter(([, has]) => has);
  return (
    <aside className={`panel ${css.quick}`} aria-label="Quick info">
      <h2>Quick info</h2>
      <dl>
        <Fact name="Events">
          {METHODS.map((each) => (
            <Has key={each} has={entry.supportedMethods[each]}>{each === "pageview" ? "page" : each}</Has>
          ))}
        </Fact>
        <Fact name="Cloud mode">
          {modes("cloud").map(([each]) => <Has key={each} has>{each}</Has>)}
          {modes("cloud").length === 0 && <Has has={false}>none</Has>}
        </Fact>
        <Fact name="Device mode">
          {modes("device").map(([each]) => <Has key={each} has>{each}</Has>)}
          {modes("device").length === 0 && <Has has={false}>none</Has>}
        </Fact>
        <Fact name="Can">
          <Has has={onward.batching}>send batches</Has>
          <Has has={onward.connectionTest}>test its settings</Has>
          <Has has={onward.deletion}>delete people</Has>
          <Has has={entry.supportedFeatures.replay}>take old events</Has>
        </Fact>
        <Fact name="Categories">{entry.categories.join(", ") || "Other"}</Fact>
        <Fact name="Runs">{onward.native ? "natively" : "Segment's open-source code"}</Fact>
        {entry.previousNames.length > 0 && <Fact name="Once called">{entry.previousNames.join(", ")}</Fact>}
        <Fact name="Name in integrations and files">
          <code>{entry.slug}</code>
        </Fact>
      </dl>
      {(entry.website || onward.documentation) && (
        <p className={css.links}>
          {entry.website && <Outside to={entry.website}>Website</Outside>}
          {onward.documentation && <Outside to={onward.documentation}>Segment's documentation</Outside>}
        </p>
      )}
    </aside>
  );
}

function Outside({ to, children }: { to: string; children: ReactNode }) {
  if (!/^https?:\/\//.test(to)) return null;
  return (
    <a href={to} target="_blank" rel="noreferrer noopener">
      {children} <IconExternalLink size={14} aria-hidden style={{ verticalAlign: -2 }} />
    </a>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt className="dim small">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Has({ has, children }: { has: boolean; children: ReactNode }) {
  return (
    <span className={css.has} data-not={!has || undefined}>
      {has
        ? <IconCheck size={14} color="var(--delivered)" role="img" aria-label="yes:" />
        : <IconMinus size={14} role="img" aria-label="no:" />}
      {children}
    </span>
  );
}
