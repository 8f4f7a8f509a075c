/*
{
  "title": "Webhook forwarder",
  "description": "Sends each event as JSON to a URL, signed if there is a secret: the header X-Signature holds the hexadecimal HMAC-SHA256 of the body.",
  "kind": "DESTINATION",
  "settings": [
    {"name": "url", "label": "URL", "type": "STRING", "required": true, "description": "Where events are sent."},
    {"name": "secret", "label": "Secret", "type": "STRING", "sensitive": true, "description": "Signs the bodies."},
    {"name": "headers", "label": "Headers", "type": "TEXT_MAP", "description": "Sent with each request."}
  ]
}
*/
async function forward(event, settings) {
  const body = JSON.stringify(event)
  const headers = { ...settings.headers, 'Content-Type': 'application/json' }
  if (settings.secret) {
    headers['X-Signature'] = crypto.createHmac('sha256', settings.secret).update(body).digest('hex')
  }
  let response
  try {
    response = await fetch(settings.url, { method: 'POST', headers, body })
  } catch (error) {
    throw new RetryError(error.message)
  }
  if (response.status >= 500 || response.status === 429) throw new RetryError(`HTTP status ${response.status}`)
  if (response.status >= 400) throw new Error(`HTTP status ${response.status}`)
}

const onTrack = forward, onIdentify = forward, onPage = forward, onScreen = forward
const onGroup = forward, onAlias = forward, onDelete = forward
