// The catalogue's worker: `deno run … main.cjs catalogue FOLDER`. It runs the code of the packages in FOLDER,
// without any right but to read them. The host sends calls, and does what they fetch.
//
//   in   {t:'config', key, settings, mapping, auth, client}          what many calls have in common
//        {t:'items', call, payloads, events}                         a part of a call's payloads, sent before it
//        {t:'call', id, op, config, …}  {t:'abort', id}  {t:'ping', id}  {t:'answer', id, …} to a fetch
//   out  {t:'ready'}  {t:'done', id, result | error}  {t:'pong', id}  {t:'stray', name, place} of an error
//        {t:'fetch', id, call, method, url, headers, …}  {t:'abort', id} of a fetch
'use strict'
const channel = require('./channel.cjs')
const http = require('./http.cjs')

http.install()

const calls = require('./calls.cjs')
const packages = require('./packages.cjs')
const { perform } = require('./perform.cjs')
const { operations } = require('./operations.cjs')
const { describe } = require('./failure.cjs')

const configs = new Map()
const parts = new Map()

const receivers = {
  config: ({ key, ...config }) => configs.set(key, config),
  forget: ({ keys }) => keys.forEach((key) => configs.delete(key)),
  items({ call, payloads, events }) {
    const held = parts.get(call)
    if (!held) return parts.set(call, { payloads, events })
    for (const payload of payloads) held.payloads.push(payload)
    for (const event of events) held.events.push(event)
  },
  drop: ({ call }) => parts.delete(call),
  call: handle,
  abort: ({ id }) => calls.abort(id),
  answer: http.answer,
  ping: ({ id }) => channel.send({ t: 'pong', id })
}

async function handle({ id, op, config, ...request }) {
  const items = parts.get(id)
  parts.delete(id)
  try {
    request = { ...request, ...items, config: configs.get(config) }
    const result = await calls.run(id, (call) =>
      op === 'perform' ? perform(request, call.signal) : operations[op](request)
    )
    channel.send({ t: 'done', id, result: result ?? null })
  } catch (error) {
    channel.send({ t: 'done', id, error: describe(error) })
  } finally {
    packages.forget(request.directory)
  }
}

// What the code of an action leaves behind must not end the calls of others. It is told by its place in the code
// alone, as its message may hold anything.
for (const kind of ['unhandledrejection', 'error']) {
  globalThis.addEventListener(kind, (event) => {
    event.preventDefault()
    const error = event.reason ?? event.error
    const place = /^ +at .*?([^/]+\/[^/]+\/[^/]+:\d+):\d+\)?$/m.exec(error?.stack ?? '')?.[1]
    channel.send({ t: 'stray', name: error?.name ?? typeof error, place })
  })
}

channel.send({ t: 'ready' })
channel.listen((message) => receivers[message.t](message))
