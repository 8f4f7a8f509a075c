// Segment's own engines behind JSON lines: a line [operation, ...arguments] in, a line with the result out.
const path = require('node:path')
const readline = require('node:readline')
const subscriptions = require('@segment/destination-subscriptions')
const { transform, transformBatch } = require('@segment/actions-core/mapping-kit')
const { fieldsToJsonSchema } = require('@segment/actions-core/destination-kit/fields-to-jsonschema')
const { validateSchema } = require('@segment/actions-core/schema-validation')

// These two are not among the package's exports.
const core = path.dirname(require.resolve('@segment/actions-core'))
const check = require(path.join(core, 'mapping-kit/validate.js')).default
const { removeEmptyValues } = require(path.join(core, 'remove-empty-values.js'))
const { resolveAudienceMembership } = require(path.join(core, 'audience-membership.js'))

console.warn = () => {} // the schema compiler's advice

function attempt(run) {
  try {
    return { value: run() ?? null }
  } catch (error) {
    return { error: error.message }
  }
}

const actions = new Map()
const schemas = new Map()
function schemaOf(fields) {
  const key = JSON.stringify(fields)
  if (!schemas.has(key)) schemas.set(key, [`schema-${schemas.size}`, fieldsToJsonSchema(fields)])
  return schemas.get(key)
}

const operations = {
  parse: (fql) => {
    const tree = subscriptions.parseFql(fql)
    return tree.error ? null : tree
  },
  match: (fql, event) => attempt(() => subscriptions.validate(subscriptions.parseFql(fql), event)),
  generate: (tree) => attempt(() => subscriptions.generateFql(tree)),
  check: (mapping) => {
    try {
      check(mapping)
      return []
    } catch (error) {
      return typeof error[Symbol.iterator] === 'function' ? [...error].map((e) => e.message) : [error.message]
    }
  },
  transform: (mapping, event) => attempt(() => transform(mapping, event)),
  // What an action does with a mapped payload: drop what is empty, then coerce and check.
  fields: (fields, payload, single) => settle(schemaOf(fields), payload, single),
  membership: (event, syncMode) => attempt(() => resolveAudienceMembership(event, syncMode ?? undefined)),
  // An action by name, so that its fields need to be told only once.
  define: (name, fields) => {
    actions.set(name, Object.keys(fields).length ? schemaOf(fields) : null)
    return null
  },
  // From the mapping to the payload, as action.js goes: sent by itself, and in a batch with another mapping.
  act: (name, mapping, batched, event) => {
    const schema = actions.get(name)
    return [true, false].map((single) => {
      try {
        const payload = single ? transform(mapping, event) : transformBatch(batched, [event])[0]
        return schema ? settle(schema, payload, single) : { value: payload }
      } catch (error) {
        return { failed: error.message }
      }
    })
  }
}

function settle([schemaKey, schema], payload, single) {
  const kept = removeEmptyValues(payload, schema, single)
  try {
    validateSchema(kept, schema, { schemaKey, exempt: ['dynamicAuthSettings'] })
    return { value: kept }
  } catch (error) {
    return { error: error.message }
  }
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const [operation, ...args] = JSON.parse(line)
  process.stdout.write(JSON.stringify(operations[operation](...args)) + '\n')
})
