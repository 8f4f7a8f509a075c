"""The functions of filter FQL (spec §7.2), as the server computes them, and equality.

Values are JSON; a missing field is None, like null. Where the documentation gives null a result, a value
of another wrong type gets the same one (`contains(5, 'a')` is false); where there is no sensible result
at all, `FqlEvaluationError` says so and filters fail closed.
"""

import re
from collections.abc import Callable
from typing import Any

from onward.pipeline.fql import glob
from onward.pipeline.fql.errors import FqlEvaluationError
from onward.pipeline.javascript import stringify

_NUMBER = re.compile(r"\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)
_INTEGER = re.compile(r"\s*[+-]?\d+", re.ASCII)
_FALSE_STRINGS = frozenset({"", "0", "false"})


def is_number(value: object) -> bool:
    kind = type(value)
    return kind is int or kind is float


def equal(left: Any, right: Any) -> bool:
    """Same type and equal; lists by order, objects by order of their keys too (spec §7.3)."""
    kind = type(left)
    if kind is not type(right):
        return is_number(left) and is_number(right) and bool(left == right)
    if kind is list:
        return len(left) == len(right) and all(map(equal, left, right))
    if kind is dict:
        return list(left) == list(right) and all(map(equal, left.values(), right.values()))
    return bool(left == right)


def among(value: Any, values: Any) -> bool:
    if type(values) is not list:
        return False
    return value in values if type(value) is str else any(equal(value, each) for each in values)


def contains(text: Any, part: Any) -> bool:
    return type(text) is str and type(part) is str and part in text


def match(text: Any, pattern: Any) -> bool:
    return type(text) is str and type(pattern) is str and glob.compile(pattern)(text)


def length(value: Any) -> int:
    """Elements of a list, bytes of a string, 0 of null."""
    kind = type(value)
    if kind is str:
        return len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
    if kind is list:
        return len(value)
    if value is None:
        return 0
    raise FqlEvaluationError(f"length() of {_kind(value)}")


def lowercase(value: Any) -> str | None:
    return value.lower() if type(value) is str else None


def uppercase(value: Any) -> str | None:
    return value.upper() if type(value) is str else None


def snakecase(value: Any) -> str | None:
    """Spaces become underscores, and that is all (spec §22.4)."""
    return value.replace(" ", "_") if type(value) is str else None


def kebabcase(value: Any) -> str | None:
    return value.replace(" ", "-") if type(value) is str else None


def titlecase(value: Any) -> str | None:
    if type(value) is not str:
        return None
    return " ".join(word[:1].upper() + word[1:] for word in value.split(" "))


def typeof(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return "string"
    if kind is bool:
        return "bool"
    if kind is int or kind is float:
        return "number"
    if kind is list:
        return "list"
    return "null" if value is None else "object"


def to_bool(value: Any) -> bool:
    """Null, 0, empty lists and objects, and the strings "", "0" and "false" are false."""
    return value.lower() not in _FALSE_STRINGS if type(value) is str else bool(value)


def to_string(value: Any) -> str | None:
    """Strings as they are, null as null, anything else as its JSON."""
    return value if value is None or type(value) is str else str(stringify(value))


def to_number(value: Any) -> int | float | None:
    """Numbers as they are, null as null, strings that spell a decimal number as that."""
    if value is None or is_number(value):
        return value  # type: ignore[no-any-return]
    if type(value) is str and len(value) <= 300 and _NUMBER.fullmatch(value):
        number = float(value)
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    raise FqlEvaluationError(f"number() of {_kind(value)} that is no number")


def semver(version: Any, operator: Any, other: Any) -> bool:
    """Compare `major.minor.patch`, missing parts being 0; anything malformed is false (tsub 2.0.1)."""
    left, right = _version(version), _version(other)
    compare = _SEMVER.get(operator) if type(operator) is str else None
    return left is not None and right is not None and compare is not None and compare(left, right)


Version = tuple[int, ...]
_SEMVER: dict[str, Callable[[Version, Version], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}


def _version(text: Any) -> Version | None:
    parts = text.split(".") if type(text) is str and len(text) <= 100 else ()
    numbers = [_INTEGER.match(part) for part in parts]
    if not 1 <= len(numbers) <= 3 or not all(numbers):
        return None
    found = [int(number[0]) for number in numbers if number]
    return (*found, *[0] * (3 - len(found)))


def _kind(value: Any) -> str:
    return {"string": "a string", "bool": "a boolean", "object": "an object"}.get(
        typeof(value), f"a {typeof(value)}"
    )


FUNCTIONS: dict[str, tuple[Callable[..., Any], int]] = {
    "contains": (contains, 2),
    "match": (match, 2),
    "length": (length, 1),
    "lowercase": (lowercase, 1),
    "uppercase": (uppercase, 1),
    "snakecase": (snakecase, 1),
    "kebabcase": (kebabcase, 1),
    "titlecase": (titlecase, 1),
    "typeof": (typeof, 1),
    "bool": (to_bool, 1),
    "string": (to_string, 1),
    "number": (to_number, 1),
    "semver": (semver, 3),
}
"""Name → implementation and number of arguments."""

ARITY = {name: arity for name, (_, arity) in FUNCTIONS.items()}
