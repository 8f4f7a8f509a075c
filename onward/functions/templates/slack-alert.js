/*
{
  "title": "Slack alert",
  "description": "Writes to a Slack channel when certain events happen.",
  "kind": "DESTINATION",
  "settings": [
    {"name": "webhookUrl", "label": "Incoming webhook", "type": "STRING", "required": true, "sensitive": true, "description": "Of Slack: https://hooks.slack.com/…"},
    {"name": "events", "label": "Events", "type": "ARRAY", "description": "Names of events; all, if there are none."},
    {"name": "message", "label": "Message", "type": "STRING", "description": "With paths of the event in braces: {userId} bought {properties.product}"}
  ]
}
*/
// <!channel> and the like must not come from an event.
const escaped = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')

function message(event, template) {
  if (!template) return `*${escaped(event.event)}* by ${escaped(String(event.userId || event.anonymousId))}`
  return template.replace(/\{([\w.]+)\}/g, (whole, path) => escaped(String(_.get(event, path, ''))))
}

async function onTrack(event, settings) {
  const wanted = settings.events || []
  if (wanted.length && !wanted.includes(event.event)) return
  let response
  try {
    response = await fetch(settings.webhookUrl, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ text: message(event, settings.message) })
    })
  } catch (error) {
    throw new RetryError(error.message)
  }
  if (response.status >= 500 || response.status === 429) throw new RetryError(`HTTP status ${response.status}`)
  if (!response.ok) throw new Error(`Slack answered ${response.status}: ${await response.text()}`)
}
