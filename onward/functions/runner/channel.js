// Frames over stdin and stdout: a 4-byte length, big-endian, and JSON in UTF-8.
//
// JSON.stringify writes half a surrogate pair as \ud83d, which no reader of JSON takes: code makes halves whenever it
// cuts a text within an emoji. U+FFFD goes out in their place, as from Node in UTF-8.
//
// While nothing is under way, reading blocks the whole process: a third of what waiting in the event loop costs.
// So between invocations it stands still, timers included, and goes on with the next one.
import timers from "node:timers";

const { stdin, stdout } = Deno;
const { setImmediate } = timers, Later = Promise;
const encoder = new TextEncoder(), decoder = new TextDecoder();
const { stringify, parse } = JSON;
const SMALL = 65536;
const ESCAPE = /\\(?:ud[89a-f][0-9a-f]{2}|.)/g;
const wellFormed = (json) => json.replace(ESCAPE, (escape) => escape.length > 2 ? "\ufffd" : escape);

export function channel() {
  let turning = null, rounds = 0;
  let out = new Uint8Array(SMALL), filled = 0;

  function write(bytes) {
    for (let at = 0; at < bytes.length;) at += stdout.writeSync(bytes.subarray(at));
  }

  // Frames go out together, in the order in which they were put.
  function flush() {
    if (filled === 0) return;
    const bytes = out.subarray(0, filled);
    filled = 0;
    write(bytes);
  }

  function put(text) {
    if (text.includes("\\ud")) text = wellFormed(text);
    const most = text.length * 3 + 4; // bytes
    if (most > SMALL - filled) flush();
    if (most > SMALL) {
      const body = encoder.encode(text), frame = new Uint8Array(body.length + 4);
      lengthInto(frame, 0, body.length);
      frame.set(body, 4);
      return write(frame);
    }
    const { written } = encoder.encodeInto(text, out.subarray(filled + 4));
    lengthInto(out, filled, written);
    filled += written + 4;
  }

  function send(message) {
    put(stringify(message));
    flush();
  }

  // Lets the event loop go round once.
  const turn = () => turning ||= new Later((resolve) => setImmediate(() => {
    turning = null;
    rounds++;
    resolve();
  }));

  // `busy` tells whether something is under way.
  async function listen(receive, busy) {
    let held = new Uint8Array(SMALL), start = 0, end = 0;
    for (;;) {
      if (busy()) {
        await turn(); // most handlers have ended then,
        await null; // and their results, which may wait for the same turn, are out
      }
      const running = busy(), room = held.subarray(end);
      if (running) flush();
      const read = running ? await stdin.read(room) : stdin.readSync(room);
      if (read === null) return;
      rounds++;
      end += read;
      let size = 0;
      while (end - start >= 4) {
        size = (held[start] << 24 | held[start + 1] << 16 | held[start + 2] << 8 | held[start + 3]) >>> 0;
        if (end - start - 4 < size) break;
        const message = parse(decoder.decode(held.subarray(start + 4, start + 4 + size)));
        start += 4 + size;
        size = 0;
        receive(message);
      }
      const rest = held.subarray(start, end), needed = size + 4;
      if (needed > held.length || (held.length > SMALL && needed <= SMALL && rest.length < SMALL)) {
        held = new Uint8Array(Math.max(SMALL, needed)); // a long frame is coming, or has gone
        held.set(rest);
      } else if (start > 0) {
        held.copyWithin(0, start, end);
      }
      end -= start;
      start = 0;
    }
  }

  return {
    put, flush, send, stringify, listen, turn,
    get rounds() {
      return rounds; // how often the event loop may have done something
    },
  };
}

function lengthInto(bytes, at, length) {
  bytes[at] = length >>> 24;
  bytes[at + 1] = length >>> 16 & 255;
  bytes[at + 2] = length >>> 8 & 255;
  bytes[at + 3] = length & 255;
}
