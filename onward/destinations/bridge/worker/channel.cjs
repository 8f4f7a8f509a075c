// Messages to and from the host: one JSON text a line, in over stdin, out over stdout.
'use strict'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const NEWLINE = 10
const READ = 65_536

let waiting = []

/** Sends a message; those of one turn of the event loop leave in one write. */
function send(message) {
  if (waiting.push(JSON.stringify(message) + '\n') === 1) setImmediate(flush)
}

function flush() {
  const bytes = encoder.encode(waiting.length === 1 ? waiting[0] : waiting.join(''))
  waiting = []
  for (let written = 0; written < bytes.length; ) written += Deno.stdout.writeSync(bytes.subarray(written))
}

/** Calls `receive` with each message until the host closes the pipe, which ends this process. */
async function listen(receive) {
  const buffer = new Uint8Array(READ)
  let parts = []
  for (let size; (size = await Deno.stdin.read(buffer)) !== null; ) {
    const chunk = buffer.subarray(0, size)
    let from = 0
    for (let to = chunk.indexOf(NEWLINE); to >= 0; to = chunk.indexOf(NEWLINE, from)) {
      const line = chunk.subarray(from, to)
      from = to + 1
      receive(JSON.parse(decoder.decode(parts.length ? Buffer.concat([...parts, line]) : line)))
      parts = []
    }
    if (from < size) parts.push(chunk.slice(from))
  }
  Deno.exit(0)
}

// Nothing but messages may reach stdout; and what the packages print may hold people's data, and secrets.
for (const level of ['debug', 'log', 'info', 'warn', 'error', 'trace', 'dir', 'table', 'assert']) {
  console[level] = () => {}
}

module.exports = { send, listen }
