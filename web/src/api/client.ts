/**
 * Calls the Public API by the names of its operations.
 *
 *     const { source } = await call("getSource", { path: { sourceId } });
 *
 * Parameters, body and answer have the types of the API's own description (`generated.ts`). A refusal is an
 * `ApiError` with the API's sentence; when the session is over, `sessionOver` hears of it.
 */
import { type Operations, ROUTES } from "./generated.ts";

export type Operation = keyof Operations;
export type Answer<K extends Operation> = Operations[K]["answer"];
type Part<K extends Operation, P extends string> = P extends keyof Operations[K] ? Pick<Operations[K], P>
  : unknown;
export type Request<K extends Operation> = Part<K, "path"> & Part<K, "query"> & Part<K, "body">;
/** The request is left out where an operation needs none. */
export type Maybe<T> = Record<never, never> extends T ? [request?: T] : [request: T];

export interface Problem {
  type: string;
  message: string;
  /** Which part of the body is wrong, such as `settings.url`. */
  field?: string;
}

export class ApiError extends Error {
  constructor(readonly status: number, readonly problems: Problem[]) {
    super(problems[0]?.message ?? `the server answered ${status}`);
  }

  /** The server's words on this field. */
  of(field: string): string | undefined {
    return this.problems.find((each) => each.field === field || each.field?.endsWith(`.${field}`))?.message;
  }
}

/** Nothing came back: the server is down, or the network. */
export class Unreachable extends Error {
  constructor() {
    super("Onward does not answer. It is tried again.");
  }
}

const standing = { csrf: "", workspace: "", sessionOver: () => {} };

/** What a session's requests carry; see `session.ts`. */
export function standAs(changes: Partial<typeof standing>): void {
  Object.assign(standing, changes);
}

export async function call<K extends Operation>(
  operation: K,
  ...[request]: Maybe<Request<K>>
): Promise<Answer<K>> {
  const response = await respond(operation, request);
  const text = await response.text();
  if (!response.headers.get("content-type")?.includes("json")) return text as Answer<K>;
  const answer = JSON.parse(text);
  return answer.data ?? answer;
}

/** The body of an answer as it comes; see `stream.ts`. */
export async function open<K extends Operation>(
  operation: K,
  signal: AbortSignal,
  ...[request]: Maybe<Request<K>>
): Promise<ReadableStream<Uint8Array>> {
  return (await respond(operation, request, signal)).body!;
}

/** An answer that is no refusal. */
async function respond(operation: Operation, request: unknown, signal?: AbortSignal): Promise<Response> {
  const [method, path] = ROUTES[operation];
  const { path: names, query, body } = (request ?? {}) as {
    path?: Record<string, string>;
    query?: Record<string, unknown>;
    body?: unknown;
  };
  const url = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(names?.[name] ?? ""));
  const response = await send(method, url + written(query), body, signal);
  if (response.ok) return response;
  if (response.status === 401 && operation !== "signIn" && operation !== "acceptInvite") {
    standing.sessionOver();
  }
  throw new ApiError(response.status, await problems(response));
}

/** The address of an operation, for links; they can't carry the header that names the workspace. */
export function address(operation: Operation, query?: Record<string, unknown>): string {
  return ROUTES[operation][1] + written({ ...query, workspace: standing.workspace });
}

async function send(method: string, url: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (standing.workspace) headers["x-onward-workspace"] = standing.workspace;
  if (method !== "GET") headers["x-onward-csrf"] = standing.csrf;
  if (body !== undefined) headers["content-type"] = "application/json";
  try {
    return await fetch(url, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    });
  } catch {
    throw new Unreachable();
  }
}

/** A query as the API reads it: lists repeat their name, objects are `pagination[count]`. */
function written(query: Record<string, unknown> | undefined): string {
  const pairs = new URLSearchParams();
  const add = (name: string, value: unknown) => {
    if (value === undefined || value === null || value === "") return;
    if (Array.isArray(value)) value.forEach((each) => add(name, each));
    else if (typeof value === "object") {
      Object.entries(value).forEach(([key, each]) => add(`${name}[${key}]`, each));
    } else pairs.append(name, String(value));
  };
  Object.entries(query ?? {}).forEach(([name, value]) => add(name, value));
  const text = pairs.toString();
  return text && `?${text}`;
}

async function problems(response: Response): Promise<Problem[]> {
  try {
    return (await response.json()).errors;
  } catch {
    return [{ type: "server", message: `the server answered ${response.status} ${response.statusText}` }];
  }
}
