/** What a person should look at, each with where to. */
import { UnstyledButton } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { count } from "~/parts/format.ts";
import { Section } from "~/parts/Section.tsx";
import { StateIcon } from "~/parts/StateChip.tsx";
import type { State } from "~/parts/states.ts";
import type { Flow } from "./flow.ts";
import css from "./Attention.module.css";
import { healthOf } from "./health.ts";

const SHOWN = 3;

interface Trouble {
  key: string;
  state: State;
  name: string;
  words: string;
  open: ReactNode;
}

export function Attention({ flow }: { flow: Flow }) {
  const [every, setEvery] = useState(false);
  const destinations = flow.destinations.flatMap((each) => {
    const health = healthOf(each);
    return health.trouble ? [{ ...each, health, trouble: health.trouble }] : [];
  });
  const worse = (each: typeof destinations[number]) =>
    each.delivery.pausedSince ? 2 : each.health.state === "discarded" ? 1 : 0;
  destinations.sort((a, b) => worse(b) - worse(a) || b.discardedLately - a.discardedLately);
  const troubles: Trouble[] = [
    ...destinations.map((each) => {
      const { state } = each.health;
      const to = state === "discarded" ? "delivery" as const : "overview" as const;
      return {
        key: each.id,
        state,
        name: each.name || each.kindName,
        words: each.trouble,
        open: <Link to={`/destinations/$destinationId/${to}`} params={{ destinationId: each.id }}>Open</Link>,
      };
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
        {troubles.slice(0, every ? undefined : SHOWN).map((each) => (
          <li key={each.key}>
            <StateIcon state={each.state} />
            <span className={css.words}>
              <b>{each.name}</b> {each.words}
            </span>
            {each.open}
          </li>
        ))}
        {troubles.length > SHOWN && !every && (
          <li>
            <UnstyledButton className="dim" onClick={() => setEvery(true)}>
              Show {count(troubles.length - SHOWN)} more
            </UnstyledButton>
          </li>
        )}
      </ul>
    </Section>
  );
}
