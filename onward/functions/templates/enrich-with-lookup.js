/*
{
  "title": "Look up and send on",
  "description": "Looks up the user of each event in an API, keeps what it found for five minutes, and sends the event on with it.",
  "kind": "DESTINATION",
  "settings": [
    {"name": "lookupUrl", "label": "Lookup URL", "type": "STRING", "required": true, "description": "The user id is put at its end."},
    {"name": "apiKey", "label": "Key of the lookup", "type": "STRING", "sensitive": true},
    {"name": "url", "label": "URL", "type": "STRING", "required": true, "description": "Where events are sent."}
  ]
}
*/
const KEEP = 5 * 60 * 1000 // milliseconds

async function request(url, options) {
  let response
  try {
    response = await fetch(url, options)
  } catch (error) {
    throw new RetryError(error.message)
  }
  if (response.status >= 500 || response.status === 429) throw new RetryError(`HTTP status ${response.status}`)
  return response
}

function person(userId, settings) {
  return cache.load(`person/${userId}`, KEEP, async () => {
    const headers = settings.apiKey ? { Authorization: `Bearer ${settings.apiKey}` } : {}
    const response = await request(settings.lookupUrl + encodeURIComponent(userId), { headers })
    if (response.status === 404) return null // nobody: that is kept, too
    if (!response.ok) throw new Error(`the lookup answered ${response.status}`)
    return response.json()
  })
}

async function onTrack(event, settings) {
  const found = event.userId ? await person(event.userId, settings) : null
  const response = await request(settings.url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...event, person: found })
  })
  if (!response.ok) throw new Error(`HTTP status ${response.status}`)
}
