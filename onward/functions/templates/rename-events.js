/*
{
  "title": "Rename events and properties",
  "description": "Gives events, and properties of them, other names before they reach the destination.",
  "kind": "INSERT_DESTINATION",
  "settings": [
    {"name": "events", "label": "Events", "type": "TEXT_MAP", "description": "Old name → new name."},
    {"name": "properties", "label": "Properties", "type": "TEXT_MAP", "description": "Old name → new name."}
  ]
}
*/
async function onTrack(event, settings) {
  const events = settings.events || {}, properties = settings.properties || {}
  if (Object.hasOwn(events, event.event)) event.event = events[event.event]
  event.properties = _.mapKeys(event.properties || {}, (value, name) =>
    Object.hasOwn(properties, name) ? properties[name] : name)
  return event
}

const unchanged = (event) => event
const onIdentify = unchanged, onPage = unchanged, onScreen = unchanged, onGroup = unchanged, onAlias = unchanged
