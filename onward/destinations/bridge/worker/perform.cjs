// Runs an action on payloads that the host has mapped and validated: what `Action.execute` and `executeBatch`
// of actions-core do after their own mapping and validation.
'use strict'
const { core, destination, resolveAudienceMembership } = require('./packages.cjs')
const { stateContext, transactionContext } = require('./stores.cjs')
const { describe, number, text } = require('./failure.cjs')

const { HTTPError, MultiStatusResponse } = core
const SYNC_MODES = new Set(['add', 'update', 'upsert', 'delete', 'mirror'])

/** Without these two, the actions write to a bucket of Segment's own and send nothing. */
const FEATURES = {
  'actions-the-trade-desk-crm-legacy-flow': true,
  'actions-liveramp-audiences-legacy-flow': true
}

const nothing = () => {}
const statsClient = {
  incr: nothing,
  histogram: nothing,
  set: nothing,
  observe: nothing,
  _name: (name) => name,
  _tags: (tags) => tags
}
const levels = ['debug', 'info', 'warn', 'error', 'crit', 'log', 'withTags']
const logger = Object.fromEntries(levels.map((level) => [level, nothing]))

/** `request`: {directory, action, batch, payloads, events, config}. Answers a node for each payload: null if
 *  it was delivered, else {status, type, message} or {error}. One node alone speaks for all of them. */
async function perform(request, signal) {
  const action = destination(request.directory).actions[request.action]
  if (!action) throw new core.IntegrationError(`there is no action ${request.action}`, 'NotImplemented', 501)
  if (request.batch) return performBatch(action, request, signal)
  const { payloads } = request
  if (request.inTurn && payloads.length === 1) {
    const event = `${request.destinationId} ${request.events[0].messageId}`
    return [await inTurn(event, () => performOne(action, request, 0, signal))]
  }
  if (payloads.length === 1) return [await performOne(action, request, 0, signal)]
  return Promise.all(payloads.map((_, place) => performOne(action, request, place, signal).catch(failed)))
}

const turns = new Map()

/** Does `work` when all that came before it under the same name has ended. */
async function inTurn(name, work) {
  const before = turns.get(name)
  const mine = (async () => {
    await before?.catch(nothing)
    return work()
  })()
  turns.set(name, mine)
  try {
    return await mine
  } finally {
    if (turns.get(name) === mine) turns.delete(name)
  }
}

const failed = (error) => ({ error: describe(error) })

async function performOne(action, request, place, signal) {
  const event = request.events[place]
  const bundle = { rawData: event, payload: request.payloads[place], ...common(action, request, event, signal) }
  const membership = resolveAudienceMembership(event, bundle.syncMode)
  if (typeof membership === 'boolean') bundle.audienceMembership = membership
  const output = await action.performRequest(action.definition.perform, bundle)
  return output instanceof MultiStatusResponse ? node(output.getResponseAtIndex(0)) : null
}

async function performBatch(action, request, signal) {
  const { payloads, events } = request
  const bundle = { rawData: events, payload: payloads, ...common(action, request, events[0], signal) }
  bundle.audienceMembership = events.map((event) => resolveAudienceMembership(event, bundle.syncMode))
  const client = action.createRequestClient(bundle)
  const output = await action.definition.performBatch(client, bundle)
  if (output instanceof Response) return [whole(output.status, output.data ?? output.content)]
  if (output instanceof HTTPError) return [whole(output.response.status, output.response.data ?? output.message)]
  if (output instanceof MultiStatusResponse) {
    return payloads.map((_, place) => node(output.getResponseAtIndex(place)))
  }
  return [null]
}

function whole(status, body) {
  return status < 300 ? null : { status, message: text(body) }
}

/** One entry of a MultiStatusResponse. */
function node(entry) {
  if (!entry) return { status: 500, message: 'the action gave no answer for this event' }
  if (entry instanceof core.ActionDestinationSuccessResponse) return null
  const { status, errortype, errormessage, body } = entry.value()
  return { status: number(status), type: text(errortype), message: text(errormessage ?? body) }
}

function common(action, { config, destinationId, sourceId, subscriptionId }, event, signal) {
  const { mapping } = config
  const { definition } = action
  const hookOutputs = {}
  for (const hook in definition.hooks) if (mapping[hook]) hookOutputs[hook] = mapping[hook]
  const syncMode = definition.syncMode ? mapping.__segment_internal_sync_mode : undefined
  const matchingKey = mapping.__segment_internal_matching_key
  const personas = event?.context?.personas
  return {
    rawMapping: mapping,
    settings: { ...config.settings }, // some actions write to theirs
    auth: config.auth,
    audienceSettings: personas ? personas.audience_settings : {},
    personasContext: personas,
    features: { ...FEATURES },
    statsContext: { statsClient, tags: [] }, // some actions add to them
    logger,
    transactionContext: transactionContext(destinationId, event?.messageId),
    stateContext: stateContext(destinationId),
    subscriptionMetadata: {
      actionConfigId: subscriptionId,
      destinationConfigId: destinationId,
      sourceId
    },
    hookOutputs,
    syncMode: SYNC_MODES.has(syncMode) ? syncMode : undefined,
    matchingKey: matchingKey ? String(matchingKey) : undefined,
    signal
  }
}

module.exports = { perform, logger }
