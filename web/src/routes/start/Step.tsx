/** A step of a road: its number, or that it is done, and what is to do. */
import { IconCheck } from "@tabler/icons-react";
import type { ReactNode } from "react";
import css from "./Step.module.css";

export function Step(
  { number, title, done, open, last, children }: {
    number: number;
    title: string;
    done: boolean;
    /** Whether it can be done yet. */
    open: boolean;
    last?: boolean;
    children: ReactNode;
  },
) {
  return (
    <section
      className={css.step}
      data-done={done || undefined}
      data-open={open || done || undefined}
      data-last={last}
    >
      <div className={css.mark}>
        <span className={css.number}>
          {done ? <IconCheck size={14} stroke={2.5} aria-label="Done" /> : number}
        </span>
      </div>
      <div className={css.body}>
        <h2>{title}</h2>
        {children}
      </div>
    </section>
  );
}
