// The calls under way. Whatever code runs, and after whatever it has awaited, knows which call it runs for.
'use strict'
const { AsyncLocalStorage } = require('node:async_hooks')

const current = new AsyncLocalStorage()
const byId = new Map()

class Call {
  constructor(id) {
    this.id = id
    this.controller = new AbortController()
  }

  get signal() {
    return this.controller.signal
  }

  get aborted() {
    return this.controller.signal.aborted
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
  byId.get(id)?.controller.abort(new DOMException('the host gave up', 'TimeoutError'))
}

module.exports = { run, abort, current: () => current.getStore() }
