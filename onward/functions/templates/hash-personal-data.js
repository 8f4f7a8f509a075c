/*
{
  "title": "Hash personal data and send on",
  "description": "Sends people's e-mail addresses and phone numbers as SHA-256, normalised as advertisers ask for it, and nothing else that is personal.",
  "kind": "DESTINATION",
  "settings": [
    {"name": "url", "label": "URL", "type": "STRING", "required": true},
    {"name": "country", "label": "Country", "type": "STRING", "description": "Of phone numbers without a prefix, such as DE. US unless given."}
  ]
}
*/
const sha256 = (text) => crypto.createHash('sha256').update(text).digest('hex')

function hashedEmail(email) {
  return typeof email === 'string' && email.includes('@') ? sha256(email.trim().toLowerCase()) : undefined
}

function hashedPhone(phone, country) {
  if (typeof phone !== 'string') return undefined
  const parsed = libphonenumberjslib.libphonenumberjs.parsePhoneNumberFromString(phone, country || 'US')
  return parsed && parsed.isValid() ? sha256(parsed.number) : undefined // +14155552671
}

async function onIdentify(event, settings) {
  const traits = event.traits || {}
  const person = { email: hashedEmail(traits.email), phone: hashedPhone(traits.phone, settings.country) }
  if (!person.email && !person.phone) throw new InvalidEventPayload('neither e-mail address nor phone number')
  let response
  try {
    response = await fetch(settings.url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(person)
    })
  } catch (error) {
    throw new RetryError(error.message)
  }
  if (response.status >= 500 || response.status === 429) throw new RetryError(`HTTP status ${response.status}`)
  if (!response.ok) throw new Error(`HTTP status ${response.status}`)
}
