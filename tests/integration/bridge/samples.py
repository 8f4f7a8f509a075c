"""Settings, mappings and events that are good enough for most actions: made of what their fields say."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from onward.destinations.definition import Action, Definition, Field
from onward.pipeline.triggers import Condition, Group, TriggerError, parse

NOW = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")

CONTEXT: dict[str, Any] = {
    "ip": "203.0.113.9",
    "userAgent": "Mozilla/5.0",
    "locale": "en-US",
    "page": {
        "url": "https://shop.example/x",
        "path": "/x",
        "referrer": "https://r.example",
        "title": "X",
        "search": "",
    },
    "library": {"name": "analytics.js", "version": "2"},
    "traits": {"email": "g@example.com", "phone": "+15550001111", "firstName": "G", "lastName": "H"},
    "device": {"id": "d1", "type": "ios", "advertisingId": "ad1", "token": "tok"},
    "os": {"name": "iOS", "version": "17"},
    "app": {"name": "S", "version": "1", "namespace": "com.s"},
    "personas": {
        "computation_class": "audience",
        "computation_key": "vip",
        "computation_id": "aud_1",
        "external_audience_id": "12345",
        "audience_settings": {},
    },
}


def event(kind: str, message_id: str = "m-1") -> dict[str, Any]:
    made = {
        "type": kind,
        "name": "Home",
        "userId": "user-1",
        "anonymousId": "anon-1",
        "messageId": message_id,
        "timestamp": NOW,
        "receivedAt": NOW,
        "sentAt": NOW,
        "groupId": "g1",
        "previousId": "old",
        "context": CONTEXT,
        "integrations": {},
        "traits": {
            "email": "g@example.com",
            "phone": "+15550001111",
            "first_name": "G",
            "name": "G H",
            "vip": True,
            "id": "1",
        },
        "properties": {
            "order_id": "o1",
            "email": "g@example.com",
            "total": 10,
            "revenue": 10,
            "value": 10,
            "currency": "USD",
            "vip": True,
            "query": "q",
            "url": "https://shop.example/x",
            "products": [
                {"product_id": "p1", "sku": "s1", "name": "P", "price": 5, "quantity": 2, "category": "c"}
            ],
        },
    }
    return made | ({"event": "Order Completed"} if kind == "track" else {})


def settings(definition: Definition) -> dict[str, Any]:
    made = {
        key: value(key, field) if field.default is None else field.default
        for key, field in definition.settings.items()
        if not key.startswith("oauth_")
    }
    if "oauth_access_token" in definition.settings:
        made |= {"oauth_access_token": "at", "oauth_refresh_token": "rt"}
    return made


def mapping(action: Action) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, field in action.fields.items():
        if field.default is not None:
            made[key] = field.default
        elif field.required is True:
            made[key] = value(key, field)
    if action.sync_mode is not None:
        made["__segment_internal_sync_mode"] = action.sync_mode.default
    return made


def value(key: str, field: Field) -> Any:
    if field.choices:
        return field.choices[0]
    made: Any
    match field.type:
        case "number" | "integer":
            made = 1
        case "boolean":
            made = True
        case "datetime":
            made = NOW
        case "object":
            members: Mapping[str, Field] = field.properties or {}
            made = {name: value(name, each) for name, each in members.items() if each.required is True}
        case _:
            made = _text(key.lower(), field.format)
    return [made] if field.multiple else made


def _text(key: str, format: str) -> str:
    if format == "uri" or any(word in key for word in ("url", "endpoint", "domain", "host")):
        return "https://api.example.com"
    if format == "email" or "email" in key:
        return "g@example.com"
    for word, text in (("region", "us-east-1"), ("phone", "+15550001111"), ("country", "US")):
        if word in key:
            return text
    return "12345"


def kind_of(action: Action) -> str:
    """A type of event that its default trigger takes."""
    try:
        return _kind(parse(action.default_trigger)) or "track"
    except TriggerError:
        return "track"


def _kind(node: Group | Condition) -> str | None:
    if isinstance(node, Condition):
        named = node.type == "event-type" and node.operator == "="
        return str(node.value) if named else None
    return next((kind for child in node.children if (kind := _kind(child))), None)
