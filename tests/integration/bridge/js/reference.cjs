// Runs actions as actions-core does by itself, with mapping and validation, to compare Onward's way with. One
// line in: {directory, action, batch, events, mapping, settings, auth, answer}; one line out: what came of it
// and what it requested.
'use strict'
const Module = require('node:module')
const readline = require('node:readline')

const load = Module.createRequire(process.argv[2] + '/reference.cjs')
let requests = []
let answer = {}

async function fetch(input, init) {
  const request = input instanceof Request ? input : new Request(input, init)
  const body = Buffer.from(await request.arrayBuffer()).toString('latin1')
  requests.push({ method: request.method, url: request.url, headers: [...request.headers], body })
  const headers = { 'content-type': 'application/json' }
  return new Response(answer.body, { status: answer.status, statusText: answer.reason, headers })
}

const ponyfill = Object.assign((...args) => fetch(...args), { Headers, Request, Response })
Object.assign(ponyfill, { fetch: ponyfill, default: ponyfill })
const original = Module._load
Module._load = function (name, ...rest) {
  return name === 'cross-fetch' ? ponyfill : original.call(this, name, ...rest)
}
const { Destination } = load('@segment/actions-core')

const print = (value) => process.stdout.write(JSON.stringify(value) + '\n')
for (const level of ['log', 'info', 'warn', 'error', 'debug']) console[level] = () => {}
const nothing = () => {}
const logger = Object.fromEntries(['debug', 'info', 'warn', 'error', 'crit', 'log', 'withTags'].map((l) => [l, nothing]))
const statsContext = { statsClient: { incr: nothing, histogram: nothing, set: nothing, observe: nothing }, tags: [] }
const features = {
  'actions-the-trade-desk-crm-legacy-flow': true,
  'actions-liveramp-audiences-legacy-flow': true
}

async function run({ directory, action, batch, events, mapping, settings, auth, ...more }) {
  requests = []
  answer = more.answer
  const { default: definition } = load(`@segment/action-destinations/dist/destinations/${directory}`)
  const destination = new Destination(definition)
  const state = { getRequestContext: nothing, setResponseContext: nothing }
  const common = { mapping, settings, auth, features, statsContext, logger, stateContext: state }
  common.transactionContext = { transaction: {}, setTransaction: nothing }
  common.subscriptionMetadata = { actionConfigId: 'sub', destinationConfigId: more.id, sourceId: 'src' }
  common.signal = AbortSignal.timeout(60_000)
  try {
    if (batch) return { nodes: await destination.executeBatch(action, { ...common, events }) }
    await destination.executeAction(action, { ...common, event: events[0] })
    return {}
  } catch (error) {
    return { error: `${error.name}: ${String(error.message).split('\n')[0]}` }
  }
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const result = await run(JSON.parse(line))
    print({ ...result, requests })
  }
}

main()
