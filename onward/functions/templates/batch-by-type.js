/*
{
  "title": "Batches by type",
  "description": "Sends the events of a batch apart by their type, each type to its own path, at the same time. If one of them fails, only its events are tried again.",
  "kind": "DESTINATION",
  "settings": [
    {"name": "url", "label": "URL", "type": "STRING", "required": true, "description": "Types are put at its end: /track, /identify, …"}
  ]
}
*/
async function sendType(type, events, settings) {
  try {
    const response = await fetch(`${settings.url}/${type}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(events)
    })
    return { status: response.status, errormessage: response.ok ? '' : `${type}: HTTP status ${response.status}` }
  } catch (error) {
    return { status: 500, errormessage: `${type}: ${error.message}` } // is tried again
  }
}

async function onBatch(events, settings) {
  const byType = _.groupBy(events, 'type')
  const results = Object.fromEntries(await Promise.all(
    Object.entries(byType).map(async ([type, some]) => [type, await sendType(type, some, settings)])
  ))
  return events.map((event) => results[event.type])
}

async function single(event, settings) {
  const [{ status, errormessage }] = await onBatch([event], settings)
  if (status >= 500 || status === 429) throw new RetryError(errormessage)
  if (status >= 400) throw new Error(errormessage)
}
const onTrack = single, onIdentify = single, onPage = single, onScreen = single, onGroup = single, onAlias = single
