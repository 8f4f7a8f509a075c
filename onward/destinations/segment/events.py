"""Mapped payloads back into Segment calls (spec §4.4, §13.6). Pure."""

from collections.abc import Callable
from typing import Any

from onward.destinations.definition import Payload
from onward.destinations.segment.fields import CONTEXT_KEYS
from onward.pipeline.types import Event

Build = Callable[[Payload], Event]


def track(payload: Payload) -> Event:
    event = _event("track", payload)
    event["event"] = payload.get("event_name")
    event["properties"] = _object(payload.get("properties"))
    _context_traits(event, payload)
    return event


def identify(payload: Payload) -> Event:
    event = _event("identify", payload)
    event["traits"] = traits = {**_object(payload.get("traits"))}
    if payload.get("address"):
        traits["address"] = payload["address"]
    return event


def group(payload: Payload) -> Event:
    event = _event("group", payload, group_in_context=False)
    event["groupId"] = payload.get("group_id")
    event["traits"] = _object(payload.get("traits"))
    return event


def page(payload: Payload) -> Event:
    event = _event("page", payload)
    name, category = payload.get("page_name"), payload.get("page_category")
    known = {"name": name, "category": category}
    shown = payload.get("page")
    if isinstance(shown, dict):
        known.update({key: shown.get(key) for key in ("path", "referrer", "search", "title", "url")})
    event["properties"] = {**_known(known), **_object(payload.get("properties"))}
    event.update(_known({"name": name, "category": category}))
    return event


def screen(payload: Payload) -> Event:
    event = _event("screen", payload)
    known = _known({"name": payload.get("screen_name")})
    event["properties"] = {**known, **_object(payload.get("properties"))}
    event.update(known)
    return event


def alias(payload: Payload) -> Event:
    event = _event("alias", payload)
    event["previousId"] = payload.get("previous_id")
    return event


def _event(kind: str, payload: Payload, *, group_in_context: bool = True) -> Event:
    """What all types have in common. Our own copies: a payload may share parts with the cached event."""
    context = {**_object(payload.get("context"))}
    for field, key in CONTEXT_KEYS.items():
        value = payload.get(field)
        if value is not None:
            context[key] = value
    if group_in_context and payload.get("group_id") is not None:
        context["groupId"] = payload["group_id"]
    event: Event = {"type": kind}
    for field, key in (("user_id", "userId"), ("anonymous_id", "anonymousId"), ("timestamp", "timestamp")):
        value = payload.get(field)
        if value is not None:
            event[key] = value
    event["context"] = context
    return event


def _context_traits(event: Event, payload: Payload) -> None:
    traits = payload.get("traits")
    if isinstance(traits, dict) and traits:
        context = event["context"]
        context["traits"] = {**_object(context.get("traits")), **traits}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _known(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
