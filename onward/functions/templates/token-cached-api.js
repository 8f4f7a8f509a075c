/*
{
  "title": "API with OAuth tokens",
  "description": "Gets an access token by client credentials, keeps it until it expires, and gets a new one if the API refuses it.",
  "kind": "DESTINATION",
  "settings": [
    {"name": "apiUrl", "label": "API URL", "type": "STRING", "required": true, "description": "Events are sent here."},
    {"name": "tokenUrl", "label": "Token URL", "type": "STRING", "required": true},
    {"name": "clientId", "label": "Client id", "type": "STRING", "required": true},
    {"name": "clientSecret", "label": "Client secret", "type": "STRING", "required": true, "sensitive": true}
  ]
}
*/
const LIFE = 50 * 60 * 1000 // milliseconds, less than the token's hour

async function accessToken(settings) {
  return cache.load('access-token', LIFE, async () => {
    const response = await request(settings.tokenUrl, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: settings.clientId,
        client_secret: settings.clientSecret
      }).toString()
    })
    if (!response.ok) throw new Error(`the token server answered ${response.status}`)
    return (await response.json()).access_token
  })
}

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

async function onTrack(event, settings) {
  const send = async () => request(settings.apiUrl, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${await accessToken(settings)}` },
    body: JSON.stringify({ name: event.event, user: event.userId, at: event.timestamp, ...event.properties })
  })
  let response = await send()
  if (response.status === 401) { // taken back before its time
    cache.delete('access-token')
    response = await send()
  }
  if (!response.ok) throw new Error(`HTTP status ${response.status}`)
}
