/** A state as icon, colour and word; `children` say it otherwise ("Healthy", "412"). */
import type { ReactNode } from "react";
import { type State, STATES } from "./states.ts";
import css from "./StateChip.module.css";

export function StateChip(
  { state, children, title }: { state: State; children?: ReactNode; title?: string },
) {
  const { word, icon: Icon, colour, soft } = STATES[state];
  return (
    <span className={css.chip} style={{ color: colour, background: soft }} title={title}>
      <Icon size={14} stroke={2} aria-hidden />
      {children ?? word}
    </span>
  );
}

/** The icon alone, for dense rows; the word is its label. An empty one: the word stands beside it. */
export function StateIcon({ state, label }: { state: State; label?: string }) {
  const { word, icon: Icon, colour } = STATES[state];
  return (
    <Icon
      size={16}
      stroke={2}
      color={colour}
      className={css.icon}
      {...(label === "" ? { "aria-hidden": true } : { role: "img", "aria-label": label ?? word })}
    />
  );
}
