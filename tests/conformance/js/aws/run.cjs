// Segment's own AWS destinations, with the AWS SDK that they use, behind JSON lines.
// In: {directory, action, batch, data}; out: {value} or {error, status}. Where AWS is, the environment says.
const path = require('node:path')
const readline = require('node:readline')
const Module = require('node:module')
const { createRequire } = Module

const root = createRequire(path.join(Deno.args[0], 'package.json'))
const core = root.resolve('@segment/action-destinations')
const load = (directory) => require(path.join(path.dirname(core), 'destinations', directory)).default

// The SDK speaks HTTP/2 to Kinesis; what it says is the same over HTTP/1.1.
const loadModule = Module._load
Module._load = function (name, parent, ...rest) {
  const found = loadModule.call(this, name, parent, ...rest)
  if (name !== '@aws-sdk/client-kinesis') return found
  const client = createRequire(createRequire(parent.filename).resolve(name))
  const { NodeHttpHandler } = client('@smithy/node-http-handler')
  class KinesisClient extends found.KinesisClient {
    constructor(config) {
      super({ ...config, requestHandler: new NodeHttpHandler() })
    }
  }
  return { ...found, KinesisClient }
}

const logger = { crit() {}, error() {}, info() {}, warn() {}, debug() {} }

async function run({ directory, action, batch, data }) {
  const definition = load(directory).actions[action]
  const perform = batch ? definition.performBatch : definition.perform
  return perform(undefined, { ...data, logger })
}

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  let answer
  try {
    const value = await run(JSON.parse(line))
    answer = { value: value === undefined ? null : JSON.parse(JSON.stringify(value)) }
  } catch (error) {
    answer = { error: String(error?.message ?? error), status: error?.status ?? null }
  }
  console.log(JSON.stringify(answer))
})
