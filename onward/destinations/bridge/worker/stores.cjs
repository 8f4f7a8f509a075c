// What actions may remember from one call to the next. Bounded and short-lived: it only saves requests (state),
// or carries an id from one mapping of an event to another (transaction). It is gone when the process ends.
'use strict'

const MOST = 10_000
const TRANSACTION_MS = 600_000
const STATE_MS = 3_600_000

class Store {
  #entries = new Map()

  get(key) {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (entry.until > Date.now()) return entry.value
    this.#entries.delete(key)
    return undefined
  }

  set(key, value, ms) {
    this.#entries.delete(key) // so that the oldest come first
    this.#entries.set(key, { value, until: Date.now() + ms })
    if (this.#entries.size > MOST) this.#entries.delete(this.#entries.keys().next().value)
  }
}

const states = new Store()
const transactions = new Store()

/** `stateContext`: a store of one destination, whose entries live as long as the action says. */
function stateContext(destinationId) {
  return {
    getRequestContext: (key) => states.get(`${destinationId} ${key}`),
    setResponseContext(key, value, { hour = 0, minute = 0, second = 0 } = {}) {
      const ms = ((hour * 60 + minute) * 60 + second) * 1000
      states.set(`${destinationId} ${key}`, value, ms || STATE_MS)
    }
  }
}

/** `transactionContext`: shared by all that one event makes the actions of one destination do. */
function transactionContext(destinationId, messageId) {
  const name = `${destinationId} ${messageId}`
  const transaction = transactions.get(name) ?? {}
  return {
    transaction,
    setTransaction(key, value) {
      transaction[key] = value
      transactions.set(name, transaction, TRANSACTION_MS)
    }
  }
}

module.exports = { stateContext, transactionContext }
