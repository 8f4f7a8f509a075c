/**
 * Live data: an operation that answers with server-sent events, message by message.
 *
 *     useEffect(() => listen("streamRates", {}, (message: RatesMessage, first) => …, setError), []);
 *
 * Connects again when the stream ends. It rests while the page is out of sight: browsers open six connections
 * to a server for all of their tabs together. `first` is true for the first message of each connection.
 */
import { ApiError, type Maybe, open, type Operation, type Request, Unreachable } from "./client.ts";
import type { DebuggerLine } from "./generated.ts";

const AGAIN = 1000;

/** The data of `streamSourceDebuggerEvents`' messages. */
export interface TailMessage {
  /** The oldest first. */
  events: DebuggerLine[];
  /** Events that came since the message before, with those that are shown. */
  came: number;
  /** Of those: not shown. */
  skipped: number;
}

/** The data of `streamRates`' messages. */
export interface RatesMessage {
  time: string;
  /** Whether all connections are in it: so in the first; later only those that changed. */
  complete: boolean;
  sources: { id: string; perSecond: number; accepted: number }[];
  destinations: {
    id: string;
    deliveredPerSecond: number;
    discardedPerSecond: number;
    pending: number;
    retrying: number;
    pausedSince: string | null;
  }[];
}

export function listen<K extends Operation, Message>(
  operation: K,
  request: Request<K>,
  onMessage: (message: Message, first: boolean) => void,
  onError: (error: unknown) => void,
): () => void {
  let connection: AbortController | undefined;
  let timer: number | undefined;
  const connect = async () => {
    const own = connection = new AbortController();
    try {
      const body = await open(operation, own.signal, ...([request] as unknown as Maybe<Request<K>>));
      onError(undefined);
      let first = true;
      for await (const data of messages(body)) {
        onMessage(JSON.parse(data), first);
        first = false;
      }
    } catch (error) {
      if (own.signal.aborted) return;
      onError(error instanceof ApiError ? error : new Unreachable());
      if (error instanceof ApiError && error.status !== 429) return;
    }
    if (!own.signal.aborted) timer = setTimeout(connect, AGAIN);
  };
  const rest = () => {
    clearTimeout(timer);
    connection?.abort();
    connection = undefined;
  };
  const look = () => {
    if (document.hidden) rest();
    else if (!connection) connect();
  };
  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    document.removeEventListener("visibilitychange", look);
    rest();
  };
}

/** The data of each message of an event stream. */
async function* messages(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let waiting = "";
  const reader = body.pipeThrough(new TextDecoderStream() as never)
    .getReader() as ReadableStreamDefaultReader<string>;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (waiting + value).split("\n\n");
    waiting = parts.pop()!;
    for (const part of parts) {
      const data = part.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5));
      if (data.length) yield data.join("\n");
    }
  }
}
