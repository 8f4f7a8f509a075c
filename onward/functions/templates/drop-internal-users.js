/*
{
  "title": "Drop events of one's own people",
  "description": "Lets no event through whose e-mail address is of certain domains, or whose address on the network is one of yours.",
  "kind": "INSERT_DESTINATION",
  "settings": [
    {"name": "domains", "label": "Domains", "type": "ARRAY", "description": "Such as example.com."},
    {"name": "addresses", "label": "IP addresses", "type": "ARRAY"}
  ]
}
*/
function keep(event, settings) {
  const emails = ['traits.email', 'context.traits.email', 'properties.email', 'userId'].map((path) => _.get(event, path))
  const domains = (settings.domains || []).map((domain) => domain.toLowerCase())
  const internal = emails.some((email) =>
    typeof email === 'string' && domains.includes(email.split('@').slice(1).join('@').toLowerCase()))
  if (internal || (settings.addresses || []).includes(_.get(event, 'context.ip'))) {
    throw new DropEvent('of our own people')
  }
  return event
}

const onTrack = keep, onIdentify = keep, onPage = keep, onScreen = keep, onGroup = keep, onAlias = keep
