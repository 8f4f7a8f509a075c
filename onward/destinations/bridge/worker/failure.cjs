// An error as the host gets to see it.
'use strict'

const MOST = 4000

function describe(error) {
  if (!(error instanceof Error)) return { name: 'Error', message: text(error) }
  const { response } = error
  const headers = response?.headers
  return {
    name: error.name,
    kinds: kinds(error),
    message: String(error.message).split('\n    at ')[0].slice(0, MOST),
    code: error.code === undefined ? undefined : String(error.code),
    status: number(error.status) ?? number(response?.status),
    body: response ? text(response.data ?? response.content ?? response.body) : undefined,
    retryAfter: typeof headers?.get === 'function' ? headers.get('retry-after') ?? undefined : undefined,
    egress: error.egress === true
  }
}

/** Its class and those that it inherits from. */
function kinds(error) {
  const found = []
  for (let at = Object.getPrototypeOf(error); at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    if (at.constructor?.name) found.push(at.constructor.name)
  }
  return found
}

const number = (value) => (Number.isInteger(Number(value ?? NaN)) ? Number(value) : undefined)

function text(value) {
  if (value === undefined || value === null || value instanceof ReadableStream) return undefined
  try {
    return (typeof value === 'string' ? value : JSON.stringify(value) ?? String(value)).slice(0, MOST)
  } catch {
    return undefined
  }
}

module.exports = { describe, number, text }
