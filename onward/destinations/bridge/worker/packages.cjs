// The installed packages. Each destination is loaded when it is first asked for.
'use strict'
const { createRequire } = require('node:module')

const load = createRequire(process.argv[3] + '/packages.cjs')
const core = load('@segment/actions-core')
const { resolveAudienceMembership } = load(
  load.resolve('@segment/actions-core').replace(/index\.js$/, 'audience-membership.js')
)
const loaded = new Map()

function destination(directory) {
  let found = loaded.get(directory)
  if (!found) {
    if (!/^[a-z0-9-]+$/.test(directory)) throw new Error(`${directory} is not a destination`)
    found = new core.Destination(load(`@segment/action-destinations/dist/destinations/${directory}`).default)
    loaded.set(directory, found)
  }
  return found
}

/** Actions-core keeps every response, for whoever may ask; nobody does. */
function forget(directory) {
  const found = loaded.get(directory)
  if (found) found.responses.length = 0
}

module.exports = { core, destination, forget, resolveAudienceMembership }
