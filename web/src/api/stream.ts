/**
 * Live data: an operation that answers with server-sent events, message by message.
 *
 *     useEffect(() => listen("streamRates", {}, (message: RatesMessage, first) => …, setError), []);
 *
 * Connects again when the stream ends. It rests while the page is out of sight: browsers open six connections
 * to a server for all of their tabs together. `first` is true for the first message of each connection.
 */
import { ApiError, type Maybe, open, type Operation, type Request, Unreachable } from "./client.ts";

const AGAIN = 1000;

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
