"""Make a value fit its type where that is possible without guessing, as AJV with `coerceTypes: 'array'`.

Text and numbers become one another, booleans become text and numbers, null becomes the empty value of a
type, a list of one becomes its item, and a single value becomes a list of one.
"""

import math
from collections.abc import Callable
from typing import Any

from onward.pipeline.javascript import UNDEFINED, is_blank, to_number, to_string

Types = tuple[str, ...]


def _is_number(value: Any) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _is_integer(value: Any) -> bool:
    return type(value) is int or (type(value) is float and value.is_integer())


FITS: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: type(value) is str,
    "number": _is_number,
    "integer": _is_integer,
    "boolean": lambda value: type(value) is bool,
    "null": lambda value: value is None,
    "array": lambda value: type(value) is list,
    "object": lambda value: type(value) is dict,
}


def fits(value: Any, types: Types) -> bool:
    if len(types) == 1:
        return FITS[types[0]](value)
    return any(FITS[name](value) for name in types)


def coerce(value: Any, types: Types) -> tuple[Any, bool]:
    """The value as one of the types, tried in their order, and whether it could be done.

    If not, the value that the failure is about: the only item of a list, or the value itself.
    """
    if types == ("object",):
        return value, False
    if type(value) is list and len(value) == 1:
        value = value[0]
        # Where several types will do, the item is only ever coerced: AJV asks it to be of all of them.
        if len(types) == 1 and fits(value, types):
            return value, True
    for name in types:
        made = COERCE[name](value) if name in COERCE else UNDEFINED
        if made is not UNDEFINED:
            return made, True
    return value, False


def _to_string(value: Any) -> Any:
    if type(value) in (int, float, bool):
        return to_string(value)
    return "" if value is None else UNDEFINED


def _to_number(value: Any) -> Any:
    if type(value) is bool or value is None:
        return int(bool(value))
    if type(value) is str and value and (number := to_number(value)) == number:
        return number
    return UNDEFINED


def _to_integer(value: Any) -> Any:
    number = _to_number(value)
    return UNDEFINED if number is UNDEFINED or (math.isfinite(number) and number % 1) else number


def _to_boolean(value: Any) -> Any:
    if value is None or value == "false" or (type(value) in (int, float) and value == 0):
        return False
    return True if value == "true" or (type(value) in (int, float) and value == 1) else UNDEFINED


def _to_null(value: Any) -> Any:
    return None if type(value) is not list and is_blank(value) else UNDEFINED


def _to_array(value: Any) -> Any:
    return [value] if type(value) in (str, int, float, bool) or value is None else UNDEFINED


COERCE: dict[str, Callable[[Any], Any]] = {
    "string": _to_string,
    "number": _to_number,
    "integer": _to_integer,
    "boolean": _to_boolean,
    "null": _to_null,
    "array": _to_array,
}
