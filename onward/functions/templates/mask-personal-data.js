/*
{
  "title": "Mask personal data",
  "description": "Replaces traits and properties of certain names by a keyed hash, which is the same for the same value, before they reach the destination.",
  "kind": "INSERT_DESTINATION",
  "settings": [
    {"name": "fields", "label": "Fields", "type": "ARRAY", "required": true, "description": "Names, such as email. They are found at any depth."},
    {"name": "key", "label": "Key", "type": "STRING", "required": true, "sensitive": true, "description": "Without it nobody can tell what a hash stands for."}
  ]
}
*/
function masked(value, names, key, inside) {
  if (Array.isArray(value)) return value.map((item) => masked(item, names, key, inside))
  if (value !== null && typeof value === 'object') {
    return _.mapValues(value, (item, name) => masked(item, names, key, inside || names.includes(name)))
  }
  if (!inside || value === null || value === '') return value
  return crypto.createHmac('sha256', key).update(String(value)).digest('hex')
}

function mask(event, settings) {
  for (const part of ['traits', 'properties', 'context']) {
    if (event[part]) event[part] = masked(event[part], settings.fields, settings.key, false)
  }
  return event
}

const onTrack = mask, onIdentify = mask, onPage = mask, onScreen = mask, onGroup = mask, onAlias = mask
