"""Filters on lists. A value that is no list counts as a list of one, and null as an empty one."""

from collections.abc import Callable
from typing import Any

from onward.pipeline.javascript import UNDEFINED, add, to_number, to_string, utf16_length
from onward.pipeline.javascript import truthy as js_truthy
from onward.pipeline.liquid.filters_math import double, number
from onward.pipeline.liquid.filters_text import substring
from onward.pipeline.liquid.scope import Scope
from onward.pipeline.liquid.values import equals, is_nil, less, read, text, truthy
from onward.pipeline.mapping import paths


def _listed(value: Any) -> list[Any]:
    return [] if is_nil(value) else value if type(value) is list else [value]


def _join(scope: Scope, value: Any, separator: Any = None, *_: Any) -> str:
    between = " " if is_nil(separator) else text(separator)
    items = _listed(value)
    scope.spend(len(items) * len(between))
    return between.join(["" if is_nil(item) else to_string(item) for item in items])


def _first(scope: Scope, value: Any, *_: Any) -> Any:
    if type(value) is str:
        return substring(value, 0, 1) if value else ""
    return (value[0] if value else UNDEFINED) if type(value) is list else ""


def _last(scope: Scope, value: Any, *_: Any) -> Any:
    if type(value) is str:
        return substring(value, utf16_length(value) - 1, utf16_length(value)) if value else ""
    return (value[-1] if value else UNDEFINED) if type(value) is list else ""


def _size(scope: Scope, value: Any, *_: Any) -> Any:
    if type(value) is dict:
        length = value.get("length")
        return length if length not in (None, "", False) else 0
    if type(value) is list:
        return len(value)
    return utf16_length(value) if type(value) is str else 0


def _sum(scope: Scope, value: Any, property_name: Any = "", *_: Any) -> float:
    total: float = 0
    items = _listed(value)
    keys = text(property_name).split(".") if js_truthy(property_name) else []
    scope.spend(len(items) * len(keys))
    for item in items:
        found = item
        for key in keys:
            found = read(found, key)
        total += number(found)
    return double(total)


def _where(
    scope: Scope, value: Any, property_name: Any = UNDEFINED, expected: Any = UNDEFINED, *_: Any
) -> Any:
    keys = paths.split(text(property_name))
    items = _listed(value)
    scope.spend(2 * len(items) * len(keys))
    kept = []
    for item in items:
        found = _member(item, keys[0]) if keys else UNDEFINED
        for key in keys[1:]:
            found = read(found, key)
        if truthy(found) if expected is UNDEFINED else equals(found, expected):
            kept.append(item)
    return kept


def _member(item: Any, key: str) -> Any:
    """A name looked up with the item as the only data: what isn't a member has at most a size, of 0."""
    known = key in item if type(item) is dict else type(item) in (list, str) and key != "size"
    found = read(item, key) if known and key not in ("first", "last") else UNDEFINED
    return 0 if key == "size" and found is UNDEFINED else found


def _slice(scope: Scope, value: Any, begin: Any = UNDEFINED, length: Any = 1, *_: Any) -> Any:
    """A part of a text or a list; a negative start counts from the end."""
    if is_nil(value):
        return []
    source = value if isinstance(value, list) else text(value)
    size = len(source) if isinstance(source, list) else utf16_length(source)
    scope.spend(int(max(0, min(1e15, number(length)))))
    start = add(size, begin) if less(begin, 0) else begin
    # A start before the beginning counts from the end once more, as Array.prototype.slice has it.
    begin_at, end_at = (_clamped(_whole(at), size) for at in (start, add(start, length)))
    if isinstance(source, list):
        return source[begin_at:end_at]
    return substring(source, begin_at, end_at) if begin_at < end_at else ""


def _clamped(at: int, size: int) -> int:
    return max(0, at + size) if at < 0 else min(at, size)


def _whole(value: Any) -> int:
    amount = to_number(value)
    return int(max(-1e9, min(1e9, amount))) if amount == amount else 0


FILTERS: dict[str, Callable[..., Any]] = {
    "join": _join,
    "first": _first,
    "last": _last,
    "size": _size,
    "sum": _sum,
    "where": _where,
    "slice": _slice,
    "compact": lambda scope, value, *_: [item for item in _listed(value) if not is_nil(item)],
    "push": lambda scope, value, item=UNDEFINED, *_: [*_listed(value), item],
    "unshift": lambda scope, value, item=UNDEFINED, *_: [item, *_listed(value)],
    "pop": lambda scope, value, *_: _listed(value)[:-1],
    "shift": lambda scope, value, *_: _listed(value)[1:],
}
