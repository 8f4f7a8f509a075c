/** The frame of what is shown to who is not signed in. */
import type { ReactNode } from "react";
import css from "./Frame.module.css";

export function Frame({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className={css.frame}>
      <img src="/favicon.svg" width={40} height={40} alt="Onward" />
      <h1>{title}</h1>
      <div className={css.card}>{children}</div>
    </main>
  );
}
