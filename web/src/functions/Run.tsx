/** What a run of a function left behind, in parts: its error with the line, what was printed, what was sent. */
import { Button } from "@mantine/core";
import { IconAlertCircle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { type Exchange, ExchangeView } from "~/delivery/Exchange.tsx";
import css from "./Run.module.css";

export function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className={css.part}>
      <h3 className={css.title}>{title}</h3>
      {children}
    </div>
  );
}

export function Problem(
  { message, line, stack, onLine }: {
    message: string;
    line: number | null;
    stack: string | null;
    onLine?: (line: number) => void;
  },
) {
  return (
    <div className={css.part}>
      <p className={css.message}>{message}</p>
      {line !== null && (onLine
        ? <Button variant="subtle" size="compact-sm" onClick={() => onLine(line)}>line {line}</Button>
        : <span className="dim small">line {line}</span>)}
      {stack && (
        <details>
          <summary className="dim small">Where it came from</summary>
          <pre className={css.text} tabIndex={0}>{stack}</pre>
        </details>
      )}
    </div>
  );
}

export function Uncaught({ errors }: { errors: string[] }) {
  if (errors.length === 0) return null;
  return (
    <Part title={`Not waited for: ${errors.length}`}>
      {errors.map((each, at) => <pre key={at} className={css.text}>{each}</pre>)}
    </Part>
  );
}

export function Console({ logs, lost }: { logs: { level: string; text: string }[]; lost: number }) {
  return (
    <Part title={`Console: ${logs.length}`}>
      {logs.length === 0 ? <span className="dim">Nothing was printed.</span> : (
        <ol className={css.log}>
          {logs.map((each, at) => (
            <li key={at} data-level={each.level}>
              {(each.level === "error" || each.level === "warn") && (
                <IconAlertCircle size={14} aria-label={each.level} />
              )}
              <span>{each.text}</span>
            </li>
          ))}
        </ol>
      )}
      {lost > 0 && <p className="dim small">{lost} more lines are not shown.</p>}
    </Part>
  );
}

export function Requests({ exchanges }: { exchanges: Exchange[] }) {
  return (
    <Part title={`Requests: ${exchanges.length}`}>
      {exchanges.length === 0
        ? <span className="dim">None were sent.</span>
        : exchanges.map((each, at) => (
          <ExchangeView
            key={at}
            exchange={each}
            open={exchanges.length === 1}
          />
        ))}
    </Part>
  );
}
