/** What a person should look at, each with where to. */
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { count } from "~/parts/format.ts";
import { Section } from "~/parts/Section.tsx";
import { StateIcon } from "~/parts/StateChip.tsx";
import type { State } from "~/parts/states.ts";
import type { Flow } from "./flow.ts";
import css from "./Attention.module.css";
import { healthOf } from "./health.ts";

const SHOWN = 8;

interface Trouble {
  key: string;
  state: State;
  name: string;
  words: string;
  open: ReactNode;
}

export function Attention({ flow }: { flow: Flow }) {
  const troubles: Trouble[] = [
    ...flow.destinations.flatMap((each) => {
      const { state, trouble } = healthOf(each);
      if (!trouble) return [];
      const to = state === "discarded" ? "delivery" as const : "overview" as const;
      return [{
        key: each.id,
        state,
        name: each.name || each.kindName,
        words: trouble,
        open: <Link to={`/destinations/$destinationId/${to}`} params={{ destinationId: each.id }}>Open</Link>,
      }];
    }),
    ...(flow.sources ?? []).filter((each) => each.refusedLately > 0).map((each) => ({
      key: each.id,
      state: "discarded" as const,
      name: each.name || each.slug,
      words: `${count(each.refusedLately)} ${
        each.refusedLately === 1 ? "event was" : "events were"
      } discarded on arrival in the last hour.`,
      open: (
        <Link
          to="/sources/$sourceId/debugger"
          params={{ sourceId: each.id }}
          search={{ verdict: "discarded" }}
        >
          See them
        </Link>
      ),
    })),
  ];
  if (!troubles.length) return null;
  return (
    <Section title="Needs attention">
      <ul className={`panel ${css.list}`}>
        {troubles.slice(0, SHOWN).map((each) => (
          <li key={each.key}>
            <StateIcon state={each.state} />
            <span className={css.words}>
              <b>{each.name}</b> {each.words}
            </span>
            {each.open}
          </li>
        ))}
        {troubles.length > SHOWN && <li className="dim">and {count(troubles.length - SHOWN)} more</li>}
      </ul>
    </Section>
  );
}
