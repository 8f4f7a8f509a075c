"""DROP_PROPERTIES and ALLOW_PROPERTIES (spec §6.3, §7.3), without touching the event they are given.

Events are shared between destinations, so what changes is copied along its path, and nothing else.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from onward.pipeline.fql.path import index, split
from onward.pipeline.types import Event

Edit = Callable[[Event], Event]
"""Returns its argument itself where there is nothing to change."""

_EditObject = Callable[[dict[str, Any]], dict[str, Any]]


def dropping(fields: Mapping[str, Collection[str]]) -> Edit:
    """Removes the listed keys of the object at each path, `""` being the event.

    Where the path leads to a list, of each object in it; a path that leads nowhere changes nothing.
    """
    return _chain([_at(split(path), _without(frozenset(keys))) for path, keys in fields.items()])


def allowing(fields: Mapping[str, Collection[str]]) -> Edit:
    """Removes all keys but the listed ones of the object at each path; other objects stay whole."""
    return _chain([_at(split(path), _only(frozenset(keys))) for path, keys in fields.items()])


def _chain(edits: list[Edit]) -> Edit:
    if len(edits) == 1:
        return edits[0]

    def edit(event: Event) -> Event:
        for each in edits:
            event = each(event)
        return event

    return edit


def _without(keys: frozenset[str]) -> _EditObject:
    def edit(value: dict[str, Any]) -> dict[str, Any]:
        kept = {key: item for key, item in value.items() if key not in keys}
        return kept if len(kept) < len(value) else value

    return edit


def _only(keys: frozenset[str]) -> _EditObject:
    def edit(value: dict[str, Any]) -> dict[str, Any]:
        if value.keys() <= keys:
            return value
        return {key: item for key, item in value.items() if key in keys}

    return edit


def _at(segments: tuple[str, ...], edit_object: _EditObject) -> Callable[[Any], Any]:
    if not segments:
        return lambda value: _each(value, edit_object)
    key = segments[0]
    edit_inner = _at(segments[1:], edit_object)

    def edit(value: Any) -> Any:
        if type(value) is dict:
            old = value.get(key)
            new = edit_inner(old)
            return value if new is old else {**value, key: new}
        if type(value) is list and (at := index(key, len(value))) is not None:
            new = edit_inner(value[at])
            return value if new is value[at] else [*value[:at], new, *value[at + 1 :]]
        return value

    return edit


def _each(value: Any, edit_object: _EditObject) -> Any:
    if type(value) is dict:
        return edit_object(value)
    if type(value) is list:
        edited = [edit_object(item) if type(item) is dict else item for item in value]
        return value if all(new is old for new, old in zip(edited, value, strict=True)) else edited
    return value
