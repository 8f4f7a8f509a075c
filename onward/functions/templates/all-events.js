/*
{
  "title": "Every type of event",
  "description": "A handler for each type, to start from. What you do not need can go: its events are then discarded as Unsupported Event Type.",
  "kind": "DESTINATION",
  "settings": [
    {"name": "url", "label": "URL", "type": "STRING", "required": true, "description": "Where events are sent."}
  ]
}
*/
// Each handler gets an event and the settings, and has gone well if it ends without an error.
async function send(event, settings) {
  let response
  try {
    response = await fetch(settings.url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(event)
    })
  } catch (error) {
    throw new RetryError(error.message) // no connection: try again later
  }
  if (response.status >= 500 || response.status === 429) throw new RetryError(`HTTP status ${response.status}`)
  if (response.status >= 400) throw new Error(`HTTP status ${response.status}: ${await response.text()}`)
}

async function onTrack(event, settings) {
  if (!event.event) throw new InvalidEventPayload('the event has no name')
  await send(event, settings)
}

async function onIdentify(event, settings) {
  await send(event, settings)
}

async function onPage(event, settings) {
  await send(event, settings)
}

async function onScreen(event, settings) {
  await send(event, settings)
}

async function onGroup(event, settings) {
  await send(event, settings)
}

async function onAlias(event, settings) {
  throw new EventNotSupported('alias is not needed here')
}

async function onDelete(event, settings) {
  await send(event, settings)
}
