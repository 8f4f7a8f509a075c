/** Of a whole the shares of states, as one bar: what it says in full is its title. */
import { count } from "./format.ts";
import css from "./Shares.module.css";
import { type State, STATES } from "./states.ts";

export interface Share {
  state: State;
  count: number;
  /** "delivered", "rescued by retries" */
  word: string;
}

export function Shares({ shares }: { shares: Share[] }) {
  const some = shares.filter((each) => each.count > 0);
  const words = some.map((each) => `${count(each.count)} ${each.word}`).join(", ");
  return (
    <span className={css.bar} role="img" aria-label={words || "nothing"} title={words || undefined}>
      {some.map((each) => (
        <span
          key={each.word}
          style={{ flexGrow: each.count, background: STATES[each.state].fill }}
        />
      ))}
    </span>
  );
}
