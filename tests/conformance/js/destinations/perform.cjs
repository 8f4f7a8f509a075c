// Segment's open-source destinations behind JSON lines, with every request recorded instead of sent.
// The first argument is the folder whose node_modules has the packages. A line [operation, ...arguments]
// comes in, a line with the result goes out. Clock and dice stand still.
const Module = require('node:module')
const path = require('node:path')
const readline = require('node:readline')
const { AsyncLocalStorage } = require('node:async_hooks')

const root = process.argv[2]
const packaged = Module.createRequire(path.join(root, 'x.js'))
const current = new AsyncLocalStorage()

const NOW = 1700000000000
globalThis.Date = class extends Date {
  constructor(...given) {
    super(...(given.length ? given : [NOW]))
  }
  static now() {
    return NOW
  }
}
Math.random = () => 0.5
for (const level of ['log', 'info', 'warn', 'error', 'debug']) console[level] = () => {}

// The packages take fetch from the module cross-fetch; this one notes the request and gives the next answer.
async function fetch(input, init) {
  const request = input instanceof Request ? input : new Request(input, init)
  const { requests, answers } = current.getStore()
  requests.push({
    method: request.method,
    url: request.url,
    headers: Object.fromEntries(request.headers),
    body: await request.text()
  })
  const { status = 200, body = '{"code":200,"status":"OK"}' } = answers.shift() ?? {}
  return new Response(body, { status, headers: { 'content-type': 'application/json' } })
}
const standIn = Object.assign(fetch, { fetch, default: fetch, Headers, Request, Response, ponyfill: true })
const load = Module._load
Module._load = function (name) {
  return name === 'cross-fetch' ? standIn : load.apply(this, arguments)
}

const core = packaged('@segment/actions-core')
const folder = '@segment/action-destinations/dist/destinations/'
const definitions = new Map()
const destinations = new Map()

function definitionOf(directory) {
  if (!definitions.has(directory)) definitions.set(directory, packaged(folder + directory).default)
  return definitions.get(directory)
}

function destinationOf(directory) {
  if (!destinations.has(directory)) {
    destinations.set(directory, new core.Destination(definitionOf(directory)))
  }
  return destinations.get(directory)
}

async function recorded(directory, answers, act) {
  const store = { requests: [], answers: answers ?? [] }
  const destination = destinationOf(directory)
  try {
    const value = await current.run(store, () => act(destination))
    return { requests: store.requests, value: value ?? null }
  } catch (error) {
    const status = error.response?.status ?? error.status ?? null
    return { requests: store.requests, error: String(error.message), status, name: error.name }
  } finally {
    destination.responses.length = 0
  }
}

const operations = {
  definition: (directory) => definitionOf(directory),
  action: (directory, action, event, mapping, settings, answers) =>
    recorded(directory, answers, (d) =>
      d.executeAction(action, { event, mapping, settings, features: {} })
    ),
  batch: (directory, action, events, mapping, settings, features, answers) =>
    recorded(directory, answers, (d) => d.executeBatch(action, { events, mapping, settings, features })),
  test: (directory, settings, answers) => recorded(directory, answers, (d) => d.testAuthentication(settings)),
  delete: (directory, event, settings, answers) =>
    recorded(directory, answers, (d) => d.onDelete(event, settings)),
  userAgents: (texts) =>
    texts.map((text) => packaged(folder + 'amplitude/user-agent').parseUserAgentProperties(text))
}

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  const [operation, ...args] = JSON.parse(line)
  process.stdout.write(JSON.stringify(await operations[operation](...args)) + '\n')
})
