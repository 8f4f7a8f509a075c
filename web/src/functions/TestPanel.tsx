/**
 * A test run: of an event of a source's debugger, of JSON one writes, or of a batch; and what came of it. What
 * is in the editor runs, saved or not.
 */
import { Button, SegmentedControl, Select } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import type { PreviewRequest, Trial } from "~/api/generated.ts";
import { useAll, useApi } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { Copy } from "~/parts/Copy.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { FieldForm } from "~/parts/FieldForm.tsx";
import type { FormField } from "~/parts/fields.ts";
import { absolute } from "~/parts/format.ts";
import { eventName } from "~/delivery/trace.ts";
import type { Draft } from "./draft.ts";
import type { Kind } from "./kinds.ts";
import css from "./TestPanel.module.css";
import { Outcome } from "./Outcome.tsx";

const CodeEditor = lazy(() => import("./CodeEditor.tsx"));

export interface Given {
  text: string;
  /** For a source function, what came to its preview webhook and was chosen. */
  request?: Pick<PreviewRequest, "body" | "headers" | "query">;
  settings: Record<string, unknown>;
}

/** What onRequest is called with: the body to the letter unless it was edited, for it may be signed. */
export function requestOf({ text, request }: Given) {
  const body = request && readable(request.body) === text ? request.body : JSON.parse(text);
  return { body, headers: request?.headers, query: request?.query };
}

export function TestPanel(
  { kind, draft, given, onGiven, onRun, running, error, trial, onLine, preview }: {
    kind: Kind;
    /** Of a source function: where tools can send requests to test it with. */
    preview?: { functionId: string; url: string };
    draft: Draft;
    given: Given;
    onGiven: (given: Given) => void;
    onRun: () => void;
    running: boolean;
    error: unknown;
    trial: Trial | undefined;
    onLine: (line: number) => void;
  },
) {
  const [from, setFrom] = useState("manual");
  const wrong = problemOf(given.text);
  return (
    <>
      {kind !== "SOURCE" && (
        <div className={css.bar}>
          <SegmentedControl
            size="xs"
            aria-label="Where the event is from"
            value={from}
            onChange={setFrom}
            data={[{ value: "manual", label: "JSON" }, { value: "sample", label: "Event of a source" }]}
          />
          {from === "sample" && <Sample onChosen={(event) => onGiven({ ...given, text: pretty(event) })} />}
          {from === "manual" && (
            <Button
              variant="subtle"
              size="compact-sm"
              onClick={() => onGiven({ ...given, text: batched(given.text) })}
              disabled={!!wrong}
            >
              {isBatch(given.text) ? "One event" : "As a batch"}
            </Button>
          )}
        </div>
      )}
      {kind === "SOURCE" && (
        <>
          <p className="dim" style={{ margin: "0 0 8px" }}>
            The body of the request; onRequest is called with it.
            {given.request &&
              ` With ${Object.keys(given.request.headers).length} headers of the one that came.`}
          </p>
          {preview && <Received {...preview} onChosen={(chosen) => onGiven({ ...given, ...chosen })} />}
        </>
      )}
      <div className={css.editor}>
        <Suspense fallback={<div className={css.wait} />}>
          <CodeEditor
            language="json"
            label={kind === "SOURCE" ? "Body of the request" : "Event"}
            value={given.text}
            onChange={(text) => onGiven({ ...given, text })}
            onRun={onRun}
          />
        </Suspense>
      </div>
      {draft.settings.length > 0 && (
        <details
          className={css.settings}
          open={draft.settings.some((each) => each.required)}
        >
          <summary>Settings of this run</summary>
          <div style={{ paddingTop: 8 }}>
            <FieldForm
              fields={fieldsOf(draft)}
              values={given.settings}
              onChange={(settings) => onGiven({ ...given, settings })}
            />
          </div>
        </details>
      )}
      <div className={css.run}>
        <Button
          style={{ flex: "none" }}
          leftSection={<IconPlayerPlay size={16} />}
          onClick={onRun}
          loading={running}
          disabled={!!wrong}
        >
          Run
        </Button>
        <span className="dim small">
          {wrong ?? "Requests are sent for real. Nothing is saved or deployed."}
        </span>
      </div>
      <ErrorNote error={error} />
      {trial && <Outcome trial={trial} onLine={onLine} />}
    </>
  );
}

/** Where tools can send a request to, and those that have come. */
function Received({ functionId, url, onChosen }: {
  functionId: string;
  url: string;
  onChosen: (chosen: Pick<Given, "text" | "request">) => void;
}) {
  const { data } = useApi("listFunctionPreviewRequests", { path: { functionId } }, { every: 2000 });
  const requests = data?.requests ?? [];
  return (
    <div style={{ marginBottom: 8 }}>
      <p className="dim small" style={{ margin: "0 0 4px" }}>
        Let a tool send a real one here. It calls nothing and makes no events.
      </p>
      <Copy value={url} label="Copy the preview webhook" />
      <Select
        mt={8}
        aria-label="Requests that came"
        placeholder={requests.length ? "Choose a request that came" : "No request has come yet"}
        disabled={!requests.length}
        value={null}
        onChange={(at) => {
          const { body, headers, query } = requests[Number(at)]!;
          onChosen({ text: readable(body), request: { body, headers, query } });
        }}
        data={requests.map((each, at) => ({
          value: String(at),
          label: `${absolute(Date.parse(each.receivedAt))}, ${each.body.length} characters`,
        }))}
      />
    </div>
  );
}

/** The body of a request as the editor has it: JSON, or else a text in quotes. */
function readable(body: string): string {
  try {
    return pretty(JSON.parse(body));
  } catch {
    return JSON.stringify(body);
  }
}

function Sample({ onChosen }: { onChosen: (event: unknown) => void }) {
  const { may } = useSession();
  const sources = useAll("listSources", {}, { enabled: may("debugger:read") });
  const [chosen, setChosen] = useState<string>();
  const sourceId = chosen ?? sources.items?.[0]?.id ?? "";
  const { data } = useApi("listSourceDebuggerEvents", { path: { sourceId }, query: { count: 100 } }, {
    enabled: !!sourceId,
  });
  const events = (data?.events ?? []).filter((each) =>
    each.messageId && each.verdict === "accepted" && typeof each.payload === "object"
  );
  return (
    <>
      <Select
        aria-label="Source"
        value={sourceId || null}
        onChange={(value) => setChosen(value ?? undefined)}
        data={(sources.items ?? []).map((each) => ({ value: each.id, label: each.name || each.slug }))}
        w={140}
      />
      <Select
        aria-label="Its latest events"
        placeholder={events.length ? "Choose an event" : "No events yet"}
        searchable
        nothingFoundMessage="No event is called so"
        disabled={!events.length}
        onChange={(id) => {
          const found = events.find((each) => each.messageId === id);
          if (found) onChosen({ type: found.type, ...(found.payload as object) });
        }}
        data={[...new Map(events.map((each) => [each.messageId!, each])).values()].map((each) => ({
          value: each.messageId!,
          label: `${eventName({ type: each.type, ...(each.payload as object) })}, ${
            absolute(Date.parse(each.receivedAt)).split(", ")[1]!.slice(0, 8)
          }`,
        }))}
        style={{ flex: 1, minWidth: 160 }}
      />
    </>
  );
}

function fieldsOf(draft: Draft): FormField[] {
  return draft.settings.filter((each) => each.name).map((each) => ({
    key: each.name,
    label: each.label || each.name,
    help: each.description ?? "",
    kind: each.sensitive
      ? "secret"
      : each.type === "BOOLEAN"
      ? "boolean"
      : each.type === "TEXT_MAP"
      ? "json"
      : "string",
    required: each.required ?? false,
    multiple: each.type === "ARRAY",
    choices: [],
    dynamic: false,
    placeholder: "",
    readOnly: false,
    fallback: undefined,
  }));
}

export function problemOf(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return `This is not JSON: ${(error as Error).message}`;
  }
}

function isBatch(text: string): boolean {
  return /^\s*\[/.test(text);
}

/** One event as a batch of two, or the first of a batch. */
function batched(text: string): string {
  const value = JSON.parse(text);
  if (Array.isArray(value)) return pretty(value[0] ?? {});
  return pretty([value, { ...value, messageId: `${value.messageId ?? "test"}-2` }]);
}

export function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
