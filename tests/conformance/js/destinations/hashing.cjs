// Segment's processHashing: JSON lines [value, algorithm, encoding, lower] in, the hash or null for an error out.
const path = require('node:path')
const readline = require('node:readline')

const folder = path.join(process.argv[2], 'node_modules', '@segment', 'action-destinations')
const { processHashing } = require(path.join(folder, 'dist', 'lib', 'hashing-utils.js'))

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const [value, algorithm, encoding, lower] = JSON.parse(line)
  let hash = null
  try {
    hash = processHashing(value, algorithm, encoding, lower ? (text) => text.trim().toLowerCase() : undefined)
  } catch {}
  process.stdout.write(JSON.stringify(hash) + '\n')
})
