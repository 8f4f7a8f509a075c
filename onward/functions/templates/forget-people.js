/*
{
  "title": "Forget people",
  "description": "Asks an API to delete a person when a deletion is requested, and takes no other events.",
  "kind": "DESTINATION",
  "settings": [
    {"name": "url", "label": "URL", "type": "STRING", "required": true, "description": "The user id is put at its end."},
    {"name": "apiKey", "label": "API key", "type": "STRING", "required": true, "sensitive": true}
  ]
}
*/
async function onDelete(event, settings) {
  if (!event.userId) throw new InvalidEventPayload('who?')
  let response
  try {
    response = await fetch(settings.url + encodeURIComponent(event.userId), {
      method: 'DELETE',
      headers: { Authorization: `Bearer ${settings.apiKey}` }
    })
  } catch (error) {
    throw new RetryError(error.message)
  }
  if (response.status >= 500 || response.status === 429) throw new RetryError(`HTTP status ${response.status}`)
  // 404: nobody is there who could be deleted, which is what was asked for.
  if (!response.ok && response.status !== 404) throw new Error(`HTTP status ${response.status}`)
}
