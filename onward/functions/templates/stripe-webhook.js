/*
{
  "title": "Signed webhook, as Stripe sends it",
  "description": "Checks the signature and the age of each request of Stripe, and makes a track event of it; of customers an identify event, too.",
  "kind": "SOURCE",
  "settings": [
    {"name": "signingSecret", "label": "Signing secret", "type": "STRING", "required": true, "sensitive": true, "description": "Of the webhook's endpoint: whsec_…"}
  ]
}
*/
const OLDEST = 5 * 60 // seconds

function check(request, secret) {
  const parts = (request.headers.get('stripe-signature') || '').split(',').map((part) => part.trim().split('='))
  const at = Number((parts.find(([name]) => name === 't') || [])[1])
  if (!at || Math.abs(Date.now() / 1000 - at) > OLDEST) throw new ValidationError('the signature is missing or too old')
  const expected = crypto.createHmac('sha256', secret).update(`${at}.${request.text()}`).digest()
  const matches = parts.some(([name, value]) => {
    const given = Buffer.from(value || '', 'hex')
    return name === 'v1' && given.length === expected.length && crypto.timingSafeEqual(given, expected)
  })
  if (!matches) throw new ValidationError('the signature is wrong')
}

async function onRequest(request, settings) {
  check(request, settings.signingSecret)
  const { id, type, created, data: { object } } = request.json()
  const customer = object.object === 'customer' ? object.id : object.customer
  const who = customer ? { userId: customer } : { anonymousId: object.id || id }
  const timestamp = new Date(created * 1000).toISOString()
  if (object.object === 'customer') {
    Segment.identify({ ...who, messageId: `${id}-identify`, timestamp, traits: _.pick(object, ['email', 'name', 'phone']) })
  }
  const name = type.split(/[._]/).map(_.capitalize).join(' ') // invoice.paid → Invoice Paid
  Segment.track({ ...who, messageId: id, timestamp, event: name, properties: _.omit(object, ['object']) })
}
