"""What Liquid values are to each other: equality, order, truth and properties, as in liquidjs."""

from typing import Any

from onward.pipeline.javascript import (
    UNDEFINED,
    WHITESPACE,
    is_index,
    step,
    to_number,
    to_string,
    utf16_length,
)


class _Literal:
    """`empty` and `blank`, which equal every value that is so."""

    def __init__(self, name: str) -> None:
        self.name = name


EMPTY = _Literal("empty")
BLANK = _Literal("blank")
NIL = _Literal("nil")
"""The literal `nil`, which unlike a null in the data also equals what is missing."""


def plain(value: Any) -> Any:
    """A value as filters see it."""
    if value is NIL:
        return None
    return "" if value is EMPTY or value is BLANK else value


def text(value: Any) -> str:
    """A value as output: lists run together, nothing for null."""
    if type(value) is str:
        return value
    if value is None or value is UNDEFINED or isinstance(value, _Literal):
        return ""
    if type(value) is list:
        return "".join(map(text, value))
    return to_string(value)


def is_nil(value: Any) -> bool:
    return value is None or value is UNDEFINED or value is NIL


def truthy(value: Any) -> bool:
    """Only nil and false are false: 0, '' and `empty` are true."""
    return not is_nil(value) and value is not False


def equals(left: Any, right: Any) -> bool:
    for one, other in ((left, right), (right, left)):
        if one is NIL:
            return is_nil(other)
        if one is EMPTY or one is BLANK:
            return _is_empty(other) or (one is BLANK and _is_blank(other))
    if type(left) is list:
        return (
            type(right) is list
            and len(left) == len(right)
            and all(equals(mine, theirs) for mine, theirs in zip(left, right, strict=True))
        )
    if type(left) is dict or type(right) is dict:
        return left is right
    if type(left) is bool or type(right) is bool:
        return left is right
    return bool(left == right)


def _is_empty(value: Any) -> bool:
    return type(value) in (str, list, dict) and not value


def _is_blank(value: Any) -> bool:
    return value is False or is_nil(value) or (type(value) is str and not value.strip(WHITESPACE))


def less(left: Any, right: Any) -> bool:
    return _ordered(left, right, lambda a, b: bool(a < b))


def less_or_equal(left: Any, right: Any) -> bool:
    return _ordered(left, right, lambda a, b: bool(a <= b))


def _ordered(left: Any, right: Any, compare: Any) -> bool:
    """JavaScript's order: texts as texts, everything else as numbers, `nil` and its kin never."""
    if isinstance(left, _Literal) or isinstance(right, _Literal):
        return False
    left, right = _primitive(left), _primitive(right)
    if type(left) is str and type(right) is str:
        return bool(compare(left, right))
    return bool(compare(to_number(left), to_number(right)))


def _primitive(value: Any) -> Any:
    return to_string(value) if type(value) in (list, dict) else value


def contains(left: Any, right: Any) -> bool:
    if type(left) is list:
        return any(equals(item, right) for item in left)
    return type(plain(left)) is str and to_string(plain(right)) in plain(left)


def read(value: Any, key: Any) -> Any:
    """A property, with Liquid's `size`, `first` and `last`, and indexes from the end of a list."""
    if is_nil(value):
        return value
    if type(value) is list and _ordered(key, 0, lambda a, b: a < b):
        at = len(value) + to_number(key)
        return value[int(at)] if at >= 0 and at == int(at) else UNDEFINED
    name = to_string(plain(key))
    if name == "size":
        return _size(value)
    if type(value) is dict:
        return value.get(name, UNDEFINED)
    if type(value) is list:
        if name in ("first", "last") and value:
            return value[0 if name == "first" else -1]
        return step(value, name)
    if type(value) is str and (name == "length" or is_index(name)):
        return step(value, name) if value else (0 if name == "length" else UNDEFINED)
    return UNDEFINED


def _size(value: Any) -> Any:
    if type(value) is dict:
        return value.get("size", len(value))
    if type(value) is list:
        return len(value)
    return utf16_length(value) if type(value) is str else UNDEFINED
