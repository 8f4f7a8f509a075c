/** What is connected to what, what flows, and what needs attention. */
import { IconPlugConnected, IconPlus } from "@tabler/icons-react";
import { useSession } from "~/api/session.ts";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { rate } from "~/parts/format.ts";
import { LinkButton } from "~/parts/LinkButton.tsx";
import { PageHead } from "~/parts/PageHead.tsx";
import { Section } from "~/parts/Section.tsx";
import { Attention } from "./Attention.tsx";
import { useFlow } from "./flow.ts";
import { Graph } from "./Graph.tsx";

export default function Home() {
  const { may } = useSession();
  const flow = useFlow();
  if (!may("source:read")) {
    return (
      <>
        <PageHead title="Home" />
        <EmptyState icon={IconPlugConnected} title="Nothing is shared with you yet">
          An owner of this workspace can give you a role for some or all of its sources, in Settings → People.
        </EmptyState>
      </>
    );
  }
  if (flow.sources?.length === 0) {
    return (
      <>
        <PageHead title="Home" />
        <EmptyState
          icon={IconPlugConnected}
          title="Connect your first source"
          action={may("source:write") && (
            <LinkButton to="/start" leftSection={<IconPlus size={16} />}>Connect a source</LinkButton>
          )}
        >
          Name it, copy a snippet, and see its first event arrive here. It takes about a minute.
        </EmptyState>
      </>
    );
  }
  const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
  const came = sum((flow.sources ?? []).map((each) => flow.ofSource(each.id).rate));
  const went = sum(flow.destinations.map((each) => flow.ofDestination(each.id).rate));
  return (
    <>
      <PageHead
        title="Home"
        note={flow.sources && <span className="num dim">{rate(came)} in · {rate(went)} delivered</span>}
        actions={may("destination:write") && (
          <LinkButton to="/destinations/add" variant="default" leftSection={<IconPlus size={16} />}>
            Add destination
          </LinkButton>
        )}
      />
      <ErrorNote error={flow.error} retry={flow.refetch} />
      {flow.sources && (
        <>
          <Attention flow={flow} />
          <Section title="Connections">
            <Graph flow={flow} />
          </Section>
        </>
      )}
    </>
  );
}
