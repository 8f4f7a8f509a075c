/** A source at a glance: what it sends, where that goes, and its write keys. */
import { IconPlus } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { LinkButton } from "~/parts/LinkButton.tsx";
import { useSession } from "~/api/session.ts";
import { Figure, Num } from "~/parts/Num.tsx";
import { rate } from "~/parts/format.ts";
import { Monogram } from "~/parts/Monogram.tsx";
import { Section } from "~/parts/Section.tsx";
import { Sparkline } from "~/parts/Sparkline.tsx";
import { healthOf } from "../home/health.ts";
import { HealthChip } from "../home/HealthChip.tsx";
import { useFlow } from "../home/flow.ts";
import { Arrivals } from "./Arrivals.tsx";
import css from "./Overview.module.css";
import { SnippetTabs } from "./SnippetTabs.tsx";
import { useSource } from "./source.ts";
import { WriteKeys } from "./WriteKeys.tsx";

export default function Overview() {
  const { source, sourceId } = useSource();
  const { may } = useSession();
  const flow = useFlow();
  const books = flow.sources?.find((each) => each.id === sourceId);
  const now = flow.ofSource(sourceId);
  const to = flow.destinationsOf(sourceId);
  if (!source) return null;
  return (
    <>
      <div className={css.figures}>
        <Figure name="Now" note={<Sparkline values={now.series} width={96} />}>{rate(now.rate)}</Figure>
        <Figure name="Accepted, ever">
          <Link to="/sources/$sourceId/debugger" params={{ sourceId }}>
            <Num value={books?.accepted ?? 0} />
          </Link>
        </Figure>
        <Figure name="Discarded at the door, last hour">
          <Link to="/sources/$sourceId/debugger" params={{ sourceId }} search={{ verdict: "discarded" }}>
            <Num value={books?.refusedLately ?? 0} />
          </Link>
        </Figure>
      </div>
      <Arrivals sourceId={sourceId} />
      <Section
        title="Destinations"
        actions={may("destination:write") && (
          <LinkButton
            to="/destinations/add"
            search={{ source: sourceId }}
            variant="default"
            leftSection={<IconPlus size={16} />}
          >
            Add destination
          </LinkButton>
        )}
      >
        {to.length
          ? (
            <div className="panel">
              {to.map((each) => (
                <Link
                  key={each.id}
                  to="/destinations/$destinationId"
                  params={{ destinationId: each.id }}
                  className={css.row}
                >
                  <Monogram name={each.kindName} />
                  <span className="cut" style={{ flex: 1 }}>{each.name || each.kindName}</span>
                  <span className="num dim">{rate(flow.ofDestination(each.id).rate)}</span>
                  <HealthChip health={healthOf(each)} />
                </Link>
              ))}
            </div>
          )
          : <p className="dim">Nothing is connected: events are kept in the log and go nowhere yet.</p>}
      </Section>
      <Section title="Send events">
        <SnippetTabs source={source} />
      </Section>
      <Section title="Write keys">
        <WriteKeys source={source} />
      </Section>
    </>
  );
}
