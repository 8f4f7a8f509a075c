/** What the destination's insert function did with the event of a test, closed to one line until it is wanted. */
import { Group } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { InsertRun as Run } from "~/api/generated.ts";
import { Outcome } from "~/functions/Outcome.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import css from "./InsertRun.module.css";

export function InsertRun({ run }: { run: Run | null | undefined }) {
  if (!run) return null;
  const { trial } = run;
  return (
    <details className={css.run}>
      <summary>
        <Group gap={8} component="span" display="inline-flex">
          <span>Insert function {run.name}</span>
          {run.code
            ? <StateChip state={trial?.action === "retry" ? "retrying" : "filtered"}>{run.code}</StateChip>
            : <StateChip state="delivered">Let the event through</StateChip>}
        </Group>
      </summary>
      {trial ? <Outcome trial={trial} /> : <p className={css.reason}>{run.message}</p>}
      <p className={css.reason}>
        <Link to="/functions/$functionId" params={{ functionId: run.functionId }}>Open the function</Link>
      </p>
    </details>
  );
}
