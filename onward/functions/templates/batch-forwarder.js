/*
{
  "title": "Batch forwarder",
  "description": "Sends events in batches, as a JSON array. If the answer is an array of the same length, of objects with a status, each event goes its own way.",
  "kind": "DESTINATION",
  "settings": [
    {"name": "url", "label": "URL", "type": "STRING", "required": true, "description": "Takes an array of events."},
    {"name": "apiKey", "label": "API key", "type": "STRING", "sensitive": true}
  ]
}
*/
async function onBatch(events, settings) {
  const headers = { 'Content-Type': 'application/json' }
  if (settings.apiKey) headers.Authorization = `Bearer ${settings.apiKey}`
  let response
  try {
    response = await fetch(settings.url, { method: 'POST', headers, body: JSON.stringify(events) })
  } catch (error) {
    throw new RetryError(error.message)
  }
  if (response.status >= 500 || response.status === 429) throw new RetryError(`HTTP status ${response.status}`)
  if (response.status >= 400) throw new Error(`HTTP status ${response.status}`)
  const results = await response.json().catch(() => null)
  if (Array.isArray(results) && results.length === events.length) {
    return results.map(({ status = 200, message = '' }) => ({ status, errormessage: message }))
  }
}

// When there are too few events for a batch, they come one by one.
const single = (event, settings) => onBatch([event], settings).then((results) => {
  const [result] = results || []
  if (!result || result.status < 400) return
  if (result.status >= 500 || result.status === 429) throw new RetryError(result.errormessage)
  throw new Error(result.errormessage)
})
const onTrack = single, onIdentify = single, onPage = single, onScreen = single, onGroup = single, onAlias = single
