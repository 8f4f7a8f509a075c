/** A destination at a glance: what has become of events, which mappings send them, what is left to set up. */
import { Group } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { Link, useNavigate } from "@tanstack/react-router";
import { LinkButton } from "~/parts/LinkButton.tsx";
import type { ReactNode } from "react";
import type { BooksView } from "~/api/generated.ts";
import { useApi } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { useEventDelivery } from "~/delivery/EventDelivery.tsx";
import { Trend } from "~/delivery/Trend.tsx";
import { rate } from "~/parts/format.ts";
import { Figure, Num } from "~/parts/Num.tsx";
import { Section } from "~/parts/Section.tsx";
import { Sparkline } from "~/parts/Sparkline.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import { STATES } from "~/parts/states.ts";
import { windowOf } from "~/parts/WindowPicker.tsx";
import { useFlow } from "../home/flow.ts";
import { healthOf } from "../home/health.ts";
import { SnippetTabs } from "../sources/SnippetTabs.tsx";
import { functionOf, useDestination, useMappings } from "./destination.ts";
import css from "./Overview.module.css";
import { SetUp } from "./SetUp.tsx";

export default function Overview() {
  const { destination, destinationId } = useDestination();
  const { may } = useSession();
  const flow = useFlow();
  const { items: mappings } = useMappings(destinationId);
  const books = flow.destinations.find((each) => each.id === destinationId);
  const now = flow.ofDestination(destinationId);
  if (!destination) return null;
  const functionId = functionOf(destination.metadata);
  const trouble = books && healthOf(books).trouble;
  const delivery = (children: ReactNode) => (
    <Link to="/destinations/$destinationId/delivery" params={{ destinationId }}>{children}</Link>
  );
  return (
    <>
      {!destination.enabled && <SetUp destination={destination} />}
      {trouble && (
        <p className={css.trouble} style={{ borderLeftColor: STATES[healthOf(books).state].colour }}>
          <b>{destination.name || destination.metadata.name}</b> {trouble} {delivery("See why")}
        </p>
      )}
      {books && (
        <div className={css.figures}>
          <Figure name="Now" note={<Sparkline values={now.series} width={96} />}>{rate(now.rate)}</Figure>
          <Figure name="Delivered" state="delivered">
            {delivery(<Num value={books.delivery.delivered} />)}
          </Figure>
          <Figure name="Retrying" state="retrying">
            {delivery(<Num value={books.delivery.retrying} />)}
          </Figure>
          <Figure name="Pending" state="pending">
            {delivery(<Num value={Math.max(0, books.delivery.pending - books.delivery.retrying)} />)}
          </Figure>
          <Figure name="Filtered" state="filtered">
            {delivery(<Num value={books.delivery.filtered} />)}
          </Figure>
          <Figure name="Discarded" state="discarded">
            {delivery(<Num value={books.delivery.discarded} />)}
          </Figure>
        </div>
      )}
      {destination.enabled && books && untouched(books.delivery) && (
        <FirstEvent sourceId={destination.sourceId} />
      )}
      {books && books.delivery.delivered + books.delivery.discarded + books.delivery.retrying > 0 && (
        <LastHour destinationId={destinationId} />
      )}
      {functionId ? <ItsFunction id={functionId} name={destination.metadata.name} /> : (
        <Section
          title="Mappings"
          actions={may("destination:write") && (
            <LinkButton
              to="/destinations/$destinationId/mappings"
              params={{ destinationId }}
              search={{ add: "mapping" } as never}
              variant="default"
              leftSection={<IconPlus size={16} />}
            >
              Add mapping
            </LinkButton>
          )}
        >
          {mappings?.length === 0 && (
            <p className="dim">
              Nothing is sent without a mapping: it says which events are meant, and what becomes of them.
            </p>
          )}
          {mappings && mappings.length > 0 && (
            <div className="panel">
              {mappings.map((each) => (
                <Link
                  key={each.id}
                  to="/destinations/$destinationId/mappings/$subscriptionId"
                  params={{ destinationId, subscriptionId: each.id }}
                  className={css.row}
                >
                  <span className="cut" style={{ fontWeight: 500 }}>{each.name}</span>
                  <code className={`cut dim ${css.trigger}`}>{each.trigger}</code>
                  {each.enabled
                    ? <StateChip state="delivered">Enabled</StateChip>
                    : <StateChip state="filtered">Disabled</StateChip>}
                </Link>
              ))}
            </div>
          )}
        </Section>
      )}
    </>
  );
}

function untouched({ delivered, filtered, discarded, pending }: BooksView): boolean {
  return delivered + filtered + discarded + pending === 0;
}

/** It is set up and nothing has come yet: how to see it work. */
function FirstEvent({ sourceId }: { sourceId: string }) {
  const source = useApi("getSource", { path: { sourceId } }).data?.source;
  useFlow(1000); // for as long as one waits
  return (
    <Section title="See it delivered">
      <Group gap={8} mb={12}>
        <StateChip state="pending">Waiting for the first event</StateChip>
        <span className="dim">What came before it was enabled is not sent to it. Send another:</span>
      </Group>
      <div style={{ maxWidth: 720 }}>{source && <SnippetTabs source={source} />}</div>
    </Section>
  );
}

function LastHour({ destinationId }: { destinationId: string }) {
  const go = useNavigate();
  const { data } = useEventDelivery(destinationId, windowOf("1h"));
  if (!data) return null;
  return (
    <Section title="The last hour">
      <div className={`panel ${css.plot}`}>
        <Trend
          series={data.series}
          bucketMinutes={data.bucketMinutes}
          onNarrow={(from, to) =>
            void go({
              to: `/destinations/${destinationId}/delivery`,
              search: { window: `${from}~${to}` } as never,
            })}
        />
      </div>
    </Section>
  );
}

function ItsFunction({ id, name }: { id: string; name: string }) {
  return (
    <Section title="Function">
      <div className="panel">
        <Link to="/functions/$functionId" params={{ functionId: id }} className={css.row}>
          <span className="cut" style={{ fontWeight: 500 }}>{name}</span>
          <span className="dim">It gets every event as it is; there are no mappings.</span>
        </Link>
      </div>
    </Section>
  );
}
