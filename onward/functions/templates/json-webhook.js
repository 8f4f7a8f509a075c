/*
{
  "title": "JSON webhook",
  "description": "Makes a track event of each request of a webhook that sends JSON, or of each item if it sends an array.",
  "kind": "SOURCE",
  "settings": [
    {"name": "eventPath", "label": "Path of the event's name", "type": "STRING", "description": "Such as data.type. Without it every event is called Webhook Received."},
    {"name": "userPath", "label": "Path of the user id", "type": "STRING", "required": true, "description": "Such as data.customer.id"},
    {"name": "idPath", "label": "Path of the message id", "type": "STRING", "description": "What is the same each time that the webhook sends the same thing: then it counts once."},
    {"name": "token", "label": "Token", "type": "STRING", "sensitive": true, "description": "If given, requests must have it in the header Authorization, as Bearer token."}
  ]
}
*/
function same(one, other) {
  const [a, b] = [one, other].map((text) => crypto.createHash('sha256').update(String(text)).digest())
  return crypto.timingSafeEqual(a, b)
}

async function onRequest(request, settings) {
  if (settings.token && !same(request.headers.get('authorization'), `Bearer ${settings.token}`)) {
    throw new ValidationError('the token is missing or wrong')
  }
  for (const item of _.castArray(request.json())) {
    const userId = _.get(item, settings.userPath)
    if (userId === undefined || userId === null) throw new InvalidEventPayload(`there is nothing at ${settings.userPath}`)
    const event = {
      event: String(_.get(item, settings.eventPath || '', 'Webhook Received')),
      userId: String(userId),
      properties: item
    }
    const id = settings.idPath && _.get(item, settings.idPath)
    if (id) event.messageId = String(id)
    Segment.track(event)
  }
}
