// Frames over stdin and stdout: a 4-byte length, big-endian, and JSON in UTF-8.
export function channel() {
  const { stdin, stdout } = Deno;
  const encoder = new TextEncoder(), decoder = new TextDecoder();
  const stringify = JSON.stringify, parse = JSON.parse;

  function sendText(text) {
    const body = encoder.encode(text), frame = new Uint8Array(body.length + 4);
    new DataView(frame.buffer).setUint32(0, body.length);
    frame.set(body, 4);
    for (let at = 0; at < frame.length;) at += stdout.writeSync(frame.subarray(at));
  }

  async function listen(receive) {
    let held = new Uint8Array(65536), length = 0;
    const chunk = new Uint8Array(65536);
    for (;;) {
      const read = await stdin.read(chunk);
      if (read === null) return;
      if (length + read > held.length) {
        const larger = new Uint8Array(Math.max(held.length * 2, length + read));
        larger.set(held.subarray(0, length));
        held = larger;
      }
      held.set(chunk.subarray(0, read), length);
      length += read;
      let at = 0;
      while (length - at >= 4) {
        const size = (held[at] << 24 | held[at + 1] << 16 | held[at + 2] << 8 | held[at + 3]) >>> 0;
        if (length - at - 4 < size) break;
        const message = parse(decoder.decode(held.subarray(at + 4, at + 4 + size)));
        at += 4 + size;
        receive(message);
      }
      if (at) {
        held.copyWithin(0, at, length);
        length -= at;
        if (length === 0 && held.length > 1 << 20) held = new Uint8Array(65536);
      }
    }
  }

  return { sendText, send: (message) => sendText(stringify(message)), stringify, listen };
}
