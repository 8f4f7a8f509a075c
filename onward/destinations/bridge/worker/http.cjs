// `fetch` for the packages: the host does it. Takes the place of the module `cross-fetch`, which is the only
// way that @segment/actions-core has to the network.
'use strict'
const Module = require('node:module')
const { send } = require('./channel.cjs')
const calls = require('./calls.cjs')
const signals = require('./signals.cjs')

const BODILESS = new Set([101, 204, 205, 304])
const pending = new Map()
let lastId = 0

/** Remembers its time limit, which fetch can't see, its signal, and a body that is text, which needs no stream
 *  then. */
class HostRequest extends Request {
  #signal

  constructor(input, init) {
    super(input, init?.signal ? { ...init, signal: undefined } : init)
    this.#signal = init?.signal ?? input?.signal
    this.limit = init?.timeout || input?.limit
    const body = init?.body
    this.content = body === undefined || body === null ? input?.content : typeof body === 'string' ? body : undefined
  }

  get signal() {
    return this.#signal
  }

  /** Actions-core clones each request for fetch, which here consumes none whose body is known. */
  clone() {
    if (this.content !== undefined || !this.body) return this
    return new HostRequest(super.clone(), { timeout: this.limit, signal: this.#signal })
  }
}

/** Knows its text, so that reading it needs no stream, and may be done more than once. Actions-core clones
 *  each response to read it, and leaves the original for the action. */
class HostResponse extends Response {
  #text
  #init

  constructor(text, init) {
    super(BODILESS.has(init.status) ? null : text, init)
    this.#text = text
    this.#init = init
  }

  clone() {
    return new HostResponse(this.#text, this.#init)
  }

  async text() {
    return this.#text
  }

  async json() {
    return JSON.parse(this.#text)
  }
}

async function fetch(input, init) {
  const request = input instanceof Request && !init ? input : new HostRequest(input, init)
  const call = calls.current()
  if (!call || call.ended) throw new TypeError('a request outside of a call is not sent')
  const message = { t: 'fetch', id: ++lastId, call: call.id, method: request.method, url: request.url }
  message.headers = [...request.headers]
  if (request.redirect !== 'follow') message.redirect = request.redirect
  if (request.limit) message.limit = request.limit
  if (request.content !== undefined) message.body = request.content
  else if (request.body) message.base64 = Buffer.from(await request.arrayBuffer()).toString('base64')
  const { signal } = request
  signal?.throwIfAborted()
  return new Promise((resolve, reject) => {
    const abort = () => {
      if (!pending.delete(message.id)) return
      send({ t: 'abort', id: message.id })
      reject(signal.reason)
    }
    signal?.addEventListener('abort', abort)
    const done = (settle, value) => {
      signal?.removeEventListener('abort', abort)
      if (signal instanceof signals.HostSignal) signal.release()
      settle(value)
    }
    pending.set(message.id, {
      resolve: (response) => done(resolve, response),
      reject: (error) => done(reject, error)
    })
    send(message)
  })
}

/** The host's answer to a fetch. */
function answer({ id, error, status, reason, headers, body, base64 }) {
  const waiting = pending.get(id)
  if (!waiting) return
  pending.delete(id)
  if (error) {
    waiting.reject(Object.assign(new TypeError(error.message), { code: error.code, egress: true }))
    return
  }
  const init = { status, statusText: reason, headers }
  try {
    if (base64 === undefined) waiting.resolve(new HostResponse(body, init))
    else waiting.resolve(new Response(BODILESS.has(status) ? null : Buffer.from(base64, 'base64'), init))
  } catch (cause) {
    waiting.reject(Object.assign(new TypeError(cause.message), { code: 'ECONNABORTED', egress: true }))
  }
}

/** To be called before any of the packages is loaded. */
function install() {
  const ponyfill = (...args) => fetch(...args)
  Object.assign(ponyfill, { fetch: ponyfill, default: ponyfill, Headers, Request: HostRequest, Response })
  const load = Module._load
  Module._load = function (name, ...rest) {
    return name === 'cross-fetch' ? ponyfill : load.call(this, name, ...rest)
  }
  globalThis.fetch = ponyfill
  signals.install()
}

module.exports = { install, answer }
