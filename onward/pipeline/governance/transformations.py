"""Transformations: how events that meet a condition are changed (spec §5). Pure; nothing given is changed.

Conditions, and values computed in FQL, are asked of the event as it was before any of the transformations:
so one can't trigger another, and their order matters only where two set the same place. Within one, in this
order: the event's name, names of properties, set values, computed values, what is allowed, what is dropped,
what is hashed.

A transformation may protect personal data. So what it can't do to an event raises `TransformationError`,
and the caller lets nothing of the event pass.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from onward.pipeline import fql
from onward.pipeline.filters import MATCH_ALL
from onward.pipeline.governance.paths import (
    MISSING,
    ROOTS,
    Place,
    fields_of,
    get,
    only,
    parse,
    put,
    rooted,
    without,
)
from onward.pipeline.governance.spec import Hash, Transformation
from onward.pipeline.types import Event

ALGORITHMS = ("MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512")
ENCODINGS: dict[str, Callable[[bytes], str]] = {
    "HEX": bytes.hex,
    "BASE16": bytes.hex,
    "BASE64": lambda digest: base64.b64encode(digest).decode(),
    "BASE64URL": lambda digest: base64.urlsafe_b64encode(digest).decode(),
}

Edit = Callable[[Event, Event], Event]
"""`(event, seen)` → event; `seen` is the event before any transformation."""


class TransformationError(ValueError):
    """A transformation that can't be used, or an event that it can't be used on; the message says why."""


class EventDropped(Exception):
    """A transformation leaves nothing of the event; the message names it."""


class Transformations:
    """Call it with an event: the event that goes on, itself if nothing was to do.

    Raises `EventDropped`; `TransformationError` where one of the transformations is not valid, and for an
    event whose condition has no answer.
    """

    def __init__(self, specs: Sequence[Transformation]) -> None:
        self._compiled = [(spec.id, spec.drops_event, *compile_transformation(spec)) for spec in specs]

    def __call__(self, event: Event) -> Event:
        seen = event
        for id, drops, matches, edits in self._compiled:
            try:
                if matches(seen):
                    if drops:
                        raise EventDropped(f"the transformation {id} drops this event")
                    for edit in edits:
                        event = edit(event, seen)
            except EventDropped:
                raise
            except Exception as error:
                why = str(error) or type(error).__name__
                raise TransformationError(f"the transformation {id} failed on this event: {why}") from error
        return event


def compile_transformation(spec: Transformation) -> tuple[fql.Predicate, list[Edit]]:
    """Its condition and what it does, in order; raises `TransformationError`."""
    try:
        matches = _always if spec.condition.strip() == MATCH_ALL else fql.compile(spec.condition)
        edits: list[Edit] = []
        if spec.new_event_name:
            edits.append(_naming(spec.new_event_name))
        if spec.renames:
            edits.append(_renaming([(parse(old), parse(new)) for old, new in spec.renames]))
        edits += [_setting([parse(path) for path in paths], value) for paths, value in spec.values]
        edits += [_computing(parse(path), fql.compile_value(text)) for path, text in spec.computed]
        if spec.allow:
            edits.append(_allowing([parse(path) for path in spec.allow]))
        if spec.drop:
            edits.append(_dropping([parse(path) for path in spec.drop]))
        if spec.hash is not None:
            edits.append(_hashing([parse(path) for path in spec.hash.paths], hasher(spec.hash)))
    except ValueError as error:
        raise TransformationError(f"the transformation {spec.id} is not valid: {error}") from error
    return matches, edits


def hasher(spec: Hash) -> Callable[[Any], Any]:
    """The hash of a value: texts by their UTF-8, other values by their JSON, lists item by item."""
    name = spec.algorithm.upper().replace("-", "").replace("_", "")
    if name not in ALGORITHMS:
        raise TransformationError(
            f"there is no algorithm {spec.algorithm}; there are {', '.join(ALGORITHMS)}"
        )
    encode = ENCODINGS.get(spec.encoding)
    if encode is None:
        raise TransformationError(f"there is no encoding {spec.encoding}; there are {', '.join(ENCODINGS)}")
    key, algorithm, prefix = spec.key.encode(), name.lower(), spec.prefix

    def hashed(value: Any) -> Any:
        if value is None:
            return None
        if type(value) is list:
            return [hashed(item) for item in value]
        if type(value) is str:
            data = value.encode("utf-8", "surrogatepass")
        else:
            data = msgspec.json.encode(value, order="sorted")
        if key:
            digest = hmac.digest(key, data, algorithm)
        else:
            digest = hashlib.new(algorithm, data, usedforsecurity=False).digest()
        return prefix + encode(digest)

    return hashed


def _always(event: Event) -> bool:
    return True


def _naming(name: str) -> Edit:
    def edit(event: Event, seen: Event) -> Event:
        return {**event, "event": name} if seen.get("type") == "track" else event

    return edit


def _renaming(pairs: list[tuple[Place, Place]]) -> Edit:
    """All at once: two properties may change their names for each other's."""

    def edit(event: Event, seen: Event) -> Event:
        kind = event["type"]
        moved: list[tuple[Place, Any]] = []
        result = event
        for old, new in pairs:
            place = rooted(old, kind)
            value = get(event, place)
            if value is not MISSING:
                moved.append((rooted(new, kind), value))
                result = without(result, place)
        for place, value in moved:
            result = put(result, place, value)
        return result

    return edit


def _setting(places: list[Place], value: Any) -> Edit:
    def edit(event: Event, seen: Event) -> Event:
        for place in places:
            event = put(event, place, value)
        return event

    return edit


def _computing(place: Place, compute: Callable[[Event], Any]) -> Edit:
    def edit(event: Event, seen: Event) -> Event:
        value = compute(seen)
        return event if value is None else put(event, rooted(place, event["type"]), value)

    return edit


def _allowing(places: list[Place]) -> Edit:
    """Nothing of properties or traits but these; of the context only where something of it is named."""

    def edit(event: Event, seen: Event) -> Event:
        named = [rooted(place, event["type"]) for place in places]
        for root in {fields_of(event["type"]), *(place[0] for place in named)}:
            event = only(event, root, named)
        return event

    return edit


def _dropping(places: list[Place]) -> Edit:
    def edit(event: Event, seen: Event) -> Event:
        for place in places:
            event = without(event, rooted(place, event["type"]))
        return event

    return edit


def _hashing(places: list[Place], hashed: Callable[[Any], Any]) -> Edit:
    def edit(event: Event, seen: Event) -> Event:
        for names in places:
            place = rooted(names, event["type"])
            value = get(event, place)
            if value is not MISSING:
                event = put(event, place, hashed(value))
        return event

    return edit


FIXED = frozenset(
    {
        "type", "messageId", "userId", "anonymousId", "timestamp", "originalTimestamp", "receivedAt",
        "sentAt", "version", "channel", "integrations", "writeKey", "event", *ROOTS,
    }
)  # fmt: skip
"""What no transformation sets as a whole: who did it, when, and what kind of call it is (spec §5)."""
