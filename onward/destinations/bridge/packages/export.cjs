// Writes the definitions of all installed destinations to stdout, as JSON: everything that describes them,
// and of what is code only whether it is there. Its one argument is the folder that has node_modules.
'use strict'
const { createRequire } = require('node:module')
const fs = require('node:fs')

const load = createRequire(process.argv[2] + '/export.cjs')
const { manifest } = load('@segment/action-destinations')
const { name, version, license } = load('@segment/action-destinations/package.json')

const isFunction = (value) => typeof value === 'function'

/** The same value without code: a function that stands for choices (`dynamic`) becomes true. */
function plain(value) {
  if (isFunction(value)) return true
  if (Array.isArray(value)) return value.map(plain)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]))
}

function authentication({ scheme, fields, ...code }) {
  return {
    scheme,
    fields: plain(fields ?? {}),
    test: isFunction(code.testAuthentication),
    refresh: isFunction(code.refreshAccessToken)
  }
}

function audience({ audienceConfig, audienceFields }) {
  return {
    mode: plain(audienceConfig.mode),
    create: isFunction(audienceConfig.createAudience),
    get: isFunction(audienceConfig.getAudience),
    fields: plain(audienceFields ?? {})
  }
}

function action([slug, definition]) {
  const { title, description, defaultSubscription, hidden, fields, dynamicFields, syncMode, hooks } = definition
  return {
    slug,
    title,
    description,
    defaultSubscription,
    hidden: Boolean(hidden),
    fields: plain(fields ?? {}),
    batches: isFunction(definition.performBatch),
    dynamicFields: plain(dynamicFields ?? {}),
    syncMode: plain(syncMode),
    hooks: plain(hooks ?? {})
  }
}

/** What a destination's code mentions of what it can have besides payloads. */
function mentions(directory) {
  const root = load.resolve(`@segment/action-destinations/dist/destinations/${directory}`).replace(/index\.js$/, '')
  const files = fs.readdirSync(root, { recursive: true }).filter((file) => file.endsWith('.js'))
  const code = files.map((file) => fs.readFileSync(root + file, 'utf8')).join('\n')
  return {
    readsEvents: code.includes('rawData'), // so that the host must send them whole
    hasTransactions: code.includes('transactionContext') // one mapping leaves something for the next
  }
}

const destinations = Object.entries(manifest).map(([id, { directory, definition }]) => [
  definition.slug,
  {
    id,
    directory,
    slug: definition.slug,
    name: definition.name,
    description: definition.description,
    authentication: definition.authentication && authentication(definition.authentication),
    audience: definition.audienceConfig && audience(definition),
    presets: plain(definition.presets ?? []),
    onDelete: isFunction(definition.onDelete),
    ...mentions(directory),
    actions: Object.entries(definition.actions).map(action)
  }
])

const exported = { source: { name, version, license }, destinations: Object.fromEntries(destinations) }
const text = Buffer.from(JSON.stringify(exported))
for (let written = 0; written < text.length; ) written += fs.writeSync(1, text, written)
process.exit(0)
