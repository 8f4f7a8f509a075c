/** Where a function runs, and what it has used this month. */
import { Link } from "@tanstack/react-router";
import type { FunctionUsage } from "~/api/generated.ts";
import { useApi } from "~/api/hooks.ts";
import { count, duration } from "~/parts/format.ts";
import { LinkButton } from "~/parts/LinkButton.tsx";
import { Figure } from "~/parts/Num.tsx";
import { Section } from "~/parts/Section.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import type { Instance, Kind } from "./kinds.ts";
import { Running } from "./Running.tsx";
import css from "./VersionsPanel.module.css";

export function useUsage() {
  const { data, error } = useApi("getFunctionsUsage", {}, { every: 30_000 });
  return {
    usage: data?.usage,
    error,
    of: (id: string): FunctionUsage | undefined =>
      data?.usage.functions.find((each) => each.functionId === id),
  };
}

export function UsePanel(
  { functionId, kind, slug, instances, deployed }: {
    functionId: string;
    kind: Kind;
    /** Under which it is in the catalogue. */
    slug: string;
    instances: Instance[] | undefined;
    deployed: boolean;
  },
) {
  const used = useUsage().of(functionId);
  return (
    <>
      <Section title="Where it runs">
        {instances?.length === 0 && <Nowhere kind={kind} slug={slug} deployed={deployed} />}
        {instances && instances.length > 0 && (
          <ul className={`panel ${css.list}`}>
            {instances.map((each) => (
              <li key={each.id} style={{ display: "flex", gap: 12, padding: "8px 12px" }}>
                <Link to={each.to} style={{ flex: 1 }} className="cut">{each.at}</Link>
                <Running version={each.version} />
                {each.enabled
                  ? <StateChip state="delivered">Enabled</StateChip>
                  : <StateChip state="filtered">Disabled</StateChip>}
              </li>
            ))}
          </ul>
        )}
      </Section>
      <Section title="This month">
        {used
          ? (
            <div style={{ display: "flex", flexWrap: "wrap", gap: "16px 32px" }}>
              <Figure name="Invocations">{count(used.invocations)}</Figure>
              <Figure name="Run time" note={used.limitHours !== null && `of ${count(used.limitHours)} h`}>
                {duration(used.wallMs)}
              </Figure>
              <Figure name="CPU time">{duration(used.cpuMs)}</Figure>
              {used.percent !== null && (
                <Figure name="Of its limit" note={used.lockedOut ? "locked out until next month" : undefined}>
                  {used.percent} %
                </Figure>
              )}
            </div>
          )
          : <p className="dim" style={{ margin: 0 }}>It has not been called. Test runs do not count.</p>}
      </Section>
    </>
  );
}

function Nowhere({ kind, slug, deployed }: { kind: Kind; slug: string; deployed: boolean }) {
  if (!deployed) {
    return <p className="dim" style={{ margin: 0 }}>Nowhere yet: deploy it first, then connect it.</p>;
  }
  if (kind === "DESTINATION") {
    return (
      <>
        <p className="dim" style={{ marginTop: 0 }}>
          Nowhere yet. Connect it to a source like any destination, and fill in its settings there.
        </p>
        <LinkButton to="/catalogue/$slug" params={{ slug }} variant="default">Connect to a source</LinkButton>
      </>
    );
  }
  if (kind === "SOURCE") {
    return (
      <>
        <p className="dim" style={{ marginTop: 0 }}>
          Nowhere yet. A source of it has an address for webhooks.
        </p>
        <LinkButton to="/start" variant="default">Add a source</LinkButton>
      </>
    );
  }
  return (
    <p className="dim" style={{ margin: 0 }}>Nowhere yet. Insert it under a destination's Insert function.</p>
  );
}
