// The calls under way. Whatever code runs, and after whatever it has awaited, knows which call it runs for.
'use strict'
const { AsyncLocalStorage } = require('node:async_hooks')
const { HostSignal } = require('./signals.cjs')

const current = new AsyncLocalStorage()
const byId = new Map()

class Call {
  ended = false
  signal = new HostSignal()

  constructor(id) {
    this.id = id
  }
}

/** Runs `work(call)` as call `id`; a promise of its result. */
async function run(id, work) {
  const call = new Call(id)
  byId.set(id, call)
  try {
    return await current.run(call, work, call)
  } finally {
    byId.delete(id)
    call.ended = true
  }
}

function abort(id) {
  byId.get(id)?.signal.abort(new DOMException('the host gave up', 'TimeoutError'))
}

module.exports = { run, abort, current: () => current.getStore() }
