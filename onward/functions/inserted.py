"""What an insert function made of events (spec §10.8): what stands in the place of each, or why nothing does.

Pure. Deliveries and testers both ask here, so that a test shows what a delivery would do.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from onward.functions.errors import Ending, Kind
from onward.functions.invocation import Invocation

Came = dict[str, Any] | Ending
"""An event, or why there is none."""


def of_event(made: Invocation) -> Came:
    """Of a handler that was called with one event."""
    if made.ending.kind is not Kind.OK:
        return made.ending
    value = _value(made)
    return value if isinstance(value, Ending) else _event(value)


def of_events(made: Invocation, events: Sequence[Any]) -> list[Came]:
    """Of an onBatch that was called with these: one for each, by its place, or by its messageId if fewer came
    back (spec §22.10)."""
    if made.ending.kind is not Kind.OK:
        return [made.ending] * len(events)
    value = _value(made)
    if isinstance(value, Ending):
        return [value] * len(events)
    if not isinstance(value, list):
        return [_event(None)] * len(events)
    if len(value) < len(events):
        value = _by_message_id(value, events)
    elif len(value) > len(events):
        value = Ending(Kind.BAD_REQUEST, f"onBatch returned {len(value)} events for {len(events)}")
    return [value] * len(events) if isinstance(value, Ending) else list(map(_event, value))


def _by_message_id(value: list[Any], events: Sequence[Any]) -> list[Any] | Ending:
    returned = {_message_id(each): each for each in value if isinstance(each, dict)}
    known = [_message_id(each) for each in events]
    if not returned.keys() <= set(known):
        what = f"onBatch returned {len(value)} events for {len(events)}, some without the messageId of any"
        return Ending(Kind.BAD_REQUEST, what)
    return [returned.get(id) for id in known]


def _message_id(event: Any) -> str | None:
    id = event.get("messageId") if isinstance(event, dict) else None
    return id if isinstance(id, str) else None


def _value(made: Invocation) -> Any:
    """What a handler returned; an `Ending` if that can't be had."""
    if made.dropped:
        return Ending(Kind.BAD_REQUEST, "what the function returned is no JSON, or too long")
    try:
        return orjson.loads(bytes(made.value))
    except orjson.JSONDecodeError:
        return Ending(Kind.BAD_REQUEST, "what the function returned is no JSON")


def _event(value: Any) -> Came:
    if not isinstance(value, dict):
        return Ending(Kind.DROPPED, "the function returned no event")
    try:
        orjson.dumps([value])  # as it is written down while it waits for a retry
    except orjson.JSONEncodeError:
        return Ending(Kind.BAD_REQUEST, "the event that the function returned is nested too deeply")
    return value
