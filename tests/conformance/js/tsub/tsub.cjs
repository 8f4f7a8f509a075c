// Segment's client-side filter engine behind JSON lines: a line [operation, ...arguments] in, its result out.
const readline = require('node:readline')
const { matches, transform } = require('@segment/tsub')

function attempt(run) {
  try {
    return { value: run() }
  } catch (error) {
    return { error: error.message }
  }
}

const operations = {
  match: (ir, event) => attempt(() => matches(event, { type: 'fql', ir: JSON.stringify(ir) })),
  transform: (event, transformers) => attempt(() => transform(event, transformers)),
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const [operation, ...args] = JSON.parse(line)
  process.stdout.write(JSON.stringify(operations[operation](...args)) + '\n')
})
