/** Whether every part of the server works, as `/readyz` tells. */
import { Popover } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { StateChip, StateIcon } from "~/parts/StateChip.tsx";
import css from "./Shell.module.css";

interface Readiness {
  ready: boolean;
  /** "ok", or what is wrong. */
  checks: Record<string, string>;
}

export function Health() {
  const { data, error } = useQuery({
    queryKey: ["readyz"],
    queryFn: async (): Promise<Readiness> => (await fetch("/readyz")).json(),
    refetchInterval: 10_000,
  });
  const state = error ? "discarded" : !data ? "pending" : data.ready ? "delivered" : "retrying";
  const words = error
    ? "Onward does not answer"
    : !data
    ? "Asking…"
    : data.ready
    ? "Every part works"
    : "Not every part works";
  return (
    <Popover position="bottom-end" width={280}>
      <Popover.Target>
        <button type="button" className={css.health} aria-label={`Health: ${words}`}>
          <StateIcon state={state} label={words} />
        </button>
      </Popover.Target>
      <Popover.Dropdown>
        <StateChip state={state}>{words}</StateChip>
        {data && !error && (
          <ul className={css.checks}>
            {Object.entries(data.checks).map(([part, said]) => (
              <li key={part}>
                <StateIcon state={said === "ok" ? "delivered" : "discarded"} label={said} />
                <span>{part}{said !== "ok" && <span className="dim">: {said}</span>}</span>
              </li>
            ))}
          </ul>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}
