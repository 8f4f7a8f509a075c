/** A request that was sent and the answer to it, as kept with a failure or a test run. */
import { CopyButton } from "~/parts/Copy.tsx";
import { bytes, duration } from "~/parts/format.ts";
import { JsonView } from "~/parts/JsonView.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import type { Exchange } from "~/api/generated.ts";
import css from "./Exchange.module.css";

export type { Exchange };

export function ExchangeView({ exchange, open = true }: { exchange: Exchange; open?: boolean }) {
  const { request, response, error, durationMs } = exchange;
  return (
    <details className={css.exchange} open={open}>
      <summary>
        <code className={css.address}>
          <b>{request.method}</b> {request.url}
        </code>
        {response && (
          <StateChip
            state={response.status < 400
              ? "delivered"
              : response.status === 429 || response.status >= 500
              ? "retrying"
              : "discarded"}
          >
            {response.status}
          </StateChip>
        )}
        {error && <StateChip state="retrying">{error.code}</StateChip>}
        {durationMs !== null && <span className="num dim">{duration(durationMs)}</span>}
      </summary>
      <Part title="Request" headers={request.headers} body={request.body} />
      {response && <Part title="Answer" headers={response.headers} body={response.body} />}
      {error && <p style={{ color: "var(--discarded)", padding: "0 12px" }}>{error.message || error.code}</p>}
      {!response && !error && <p className="dim">It had not been answered yet.</p>}
    </details>
  );
}

function Part({ title, headers, body }: { title: string; headers: Record<string, string>; body: string }) {
  const json = parsed(body);
  const names = Object.entries(headers);
  return (
    <div className={css.part}>
      <div className={css.title}>
        <h4>{title}</h4>
        {names.length > 0 && (
          <details className={css.headers}>
            <summary className="dim small">
              {names.length} {names.length === 1 ? "header" : "headers"}
            </summary>
            <dl>
              {names.map(([name, value]) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>{value}</dd>
                </div>
              ))}
            </dl>
          </details>
        )}
        {body && (
          <>
            <span className="dim small num" style={{ marginLeft: "auto" }}>{bytes(body.length)}</span>
            <CopyButton value={body} label={`Copy the ${title.toLowerCase()}'s body`} />
          </>
        )}
      </div>
      {json !== undefined
        ? <JsonView value={json} tools={false} />
        : body
        ? <pre tabIndex={0}>{body}</pre>
        : <span className="dim small">No body</span>}
    </div>
  );
}

function parsed(body: string): unknown {
  if (!/^\s*[[{]/.test(body)) return undefined;
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
