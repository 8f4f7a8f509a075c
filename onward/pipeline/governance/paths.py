"""Places in an event that rules change, and how to change them without touching the event given.

A place is a tuple of names from the event's root: `("properties", "order", "id")`. Lists are left alone:
rules name members of objects only (spec §5).
"""

from collections.abc import Collection, Iterable
from typing import Any, Final

from onward.pipeline.fql.path import split
from onward.pipeline.types import Event

Place = tuple[str, ...]

MISSING: Final = object()

ROOTS = ("properties", "traits", "context")
MAX_LEVELS = 4
"""Names below the root of a place (spec §5)."""


class PathError(ValueError):
    """A path that can't be used; the message says why."""


def fields_of(event_type: str) -> str:
    """Where calls of a type keep what they say: `traits` or `properties`."""
    return "traits" if event_type in ("identify", "group") else "properties"


def parse(path: str) -> Place:
    """The names of a dotted path; a dot within a name is written `\\.`. Raises `PathError`."""
    names = split(path)
    if not names or not all(names):
        raise PathError(f"{path!r} has an empty name in it")
    if "$" in names:
        raise PathError(f"{path!r} leads into a list, which is not possible")
    levels = len(names) - (names[0] in ROOTS and len(names) > 1)
    if levels > MAX_LEVELS:
        raise PathError(f"{path!r} has {levels} levels; at most {MAX_LEVELS} are possible")
    return names


def rooted(names: Place, event_type: str) -> Place:
    """The place that a path means in an event of this type: properties or traits, unless it says."""
    if len(names) > 1 and names[0] in ROOTS:
        return names
    return (fields_of(event_type), *names)


def get(value: Any, place: Place) -> Any:
    """What is at a place, or `MISSING`."""
    for name in place:
        if type(value) is not dict:
            return MISSING
        value = value.get(name, MISSING)
    return value


def put(event: Event, place: Place, value: Any) -> Event:
    """The event with the value at the place; objects on the way are made, what is no object is replaced."""
    name, *rest = place
    if rest:
        inner = event.get(name)
        value = put(inner if type(inner) is dict else {}, tuple(rest), value)
    return {**event, name: value}


def without(event: Event, place: Place) -> Event:
    """The event with nothing at the place; the event itself if there was nothing."""
    if get(event, place) is MISSING:
        return event
    name, *rest = place
    if rest:
        return {**event, name: without(event[name], tuple(rest))}
    return {key: value for key, value in event.items() if key != name}


def only(event: Event, root: str, places: Iterable[Place]) -> Event:
    """The event with nothing below `root` but what is at the places."""
    fields = event.get(root)
    if type(fields) is not dict:
        return event
    kept: Event = {root: {}}
    for place in places:
        value = get(event, place)
        if value is not MISSING and place[0] == root:
            kept = put(kept, place, value)
    return event if kept[root].keys() == fields.keys() and kept[root] == fields else {**event, **kept}


def leave_out(event: Event, root: str, names: Collection[str]) -> Event:
    """The event without these members of its `root`; the event itself if it has none of them."""
    fields = event.get(root)
    if type(fields) is not dict or not any(name in fields for name in names):
        return event
    return {**event, root: {key: value for key, value in fields.items() if key not in names}}
