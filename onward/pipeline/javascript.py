"""JavaScript's value semantics, where Segment's engines let them show (spec §22.31, §22.46).

Triggers, mappings, field schemas and Liquid templates are defined by the JavaScript that runs them at
Segment, so text made from a number, the truth of an empty list or a step into a missing object must come
out as there. Values here are those of JSON (dict, list, str, int, float, bool, None) and `UNDEFINED`.

Known differences, all beyond what events hold in practice: integers beyond 2^53 keep all their digits; the
inherited members of JavaScript objects (`constructor`, `toString`, …) don't exist; half of a surrogate pair
reads as U+FFFD.
"""

import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import orjson


class _Undefined:
    """JavaScript's undefined: what a missing member is, unlike null."""

    def __repr__(self) -> str:
        return "undefined"

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final[Any] = _Undefined()

WHITESPACE: Final = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What String.prototype.trim takes off; Python's strip takes other characters."""


def type_of(value: Any) -> str:
    """`object`, `array`, `string`, `number`, `boolean`, `null` or `undefined`."""
    if value is None:
        return "null"
    return _TYPES.get(type(value), "object")


_TYPES: Final[dict[type, str]] = {
    dict: "object",
    list: "array",
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    _Undefined: "undefined",
}


def truthy(value: Any) -> bool:
    """Whether `if (value)` holds: empty objects and lists are true, unlike Python's."""
    if type(value) is dict or type(value) is list:
        return True
    return bool(value) and value == value


def is_blank(value: Any) -> bool:
    """Whether `value == ''` holds, loosely: 0, false, '', [], [[]] and [null] are; null isn't."""
    if type(value) is list:
        return to_string(value) == ""
    if type(value) is str:
        return not value.strip(WHITESPACE) and value == ""
    return value is not None and value is not UNDEFINED and type(value) is not dict and value == 0


def to_string(value: Any) -> str:
    """String(value)."""
    if type(value) is str:
        return value
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if type(value) is list:
        return ",".join(["" if item is None or item is UNDEFINED else to_string(item) for item in value])
    if type(value) is dict:
        return "[object Object]"
    if value is UNDEFINED:
        return "undefined"
    return number_to_string(value)


def number_to_string(value: float) -> str:
    """Number.prototype.toString: 5.0 is `5`, 1e21 is `1e+21`, 0.000001 is itself."""
    if type(value) is int and -(10**21) < value < 10**21:
        return str(value)
    try:
        number = float(value)
    except OverflowError:
        return "Infinity" if value > 0 else "-Infinity"
    if number != number:
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "0"
    sign, figures, exponent = Decimal(repr(number)).normalize().as_tuple()
    digits = "".join(map(str, figures))
    point = len(digits) + int(exponent)
    if 0 < point <= 21:
        text = digits.ljust(point, "0") if len(digits) <= point else f"{digits[:point]}.{digits[point:]}"
    elif -6 < point <= 0:
        text = "0." + "0" * -point + digits
    else:
        tail = f".{digits[1:]}" if len(digits) > 1 else ""
        text = f"{digits[0]}{tail}e{point - 1:+d}"
    return "-" + text if sign else text


_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_RADIX: Final = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")


def to_number(value: Any) -> float:
    """Number(value); nan where JavaScript says NaN. Integers stay ints."""
    if type(value) is int or type(value) is float:
        return value
    if type(value) is bool:
        return int(value)
    if value is None:
        return 0
    if type(value) is list:
        value = to_string(value)
    if type(value) is not str:
        return math.nan
    text = value.strip(WHITESPACE)
    if not text:
        return 0
    if _DECIMAL.fullmatch(text):
        return _integral(float(text))
    if _RADIX.fullmatch(text):
        return _integral(float(int(text, 0)))
    if text in ("Infinity", "+Infinity", "-Infinity"):
        return float(text)
    return math.nan


def _integral(number: float) -> float:
    """The int that a float stands for, where it has one that JavaScript counts exactly."""
    if abs(number) <= 2**53 and number == int(number):
        return int(number)
    return number


def add(left: Any, right: Any) -> Any:
    """left + right: text if either is text, a list or an object, else a number."""
    if any(type(side) in (str, list, dict) for side in (left, right)):
        return to_string(left) + to_string(right)
    return to_number(left) + to_number(right)


def is_index(key: str) -> bool:
    """Whether a key is an array index in its canonical form: `0`, `17`, but not `01`, `-1` or `1.5`."""
    return key.isdigit() and key.isascii() and (key[0] != "0" or key == "0") and len(key) < 11


def step(value: Any, key: str) -> Any:
    """`value && value[key]`: one step of a path; a falsy value stays what it is."""
    if type(value) is dict:
        return value.get(key, UNDEFINED)
    if type(value) is list:
        if key == "length":
            return len(value)
        if is_index(key) and (at := int(key)) < len(value):
            return value[at]
        return UNDEFINED
    if type(value) is str and value:
        if key == "length":
            return utf16_length(value)
        if is_index(key):
            return _utf16_at(value, int(key))
        return UNDEFINED
    return UNDEFINED if truthy(value) else value


def utf16_length(text: str) -> int:
    """String.prototype.length: characters beyond U+FFFF count twice."""
    return len(text) if text.isascii() else len(text) + sum(char > "\uffff" for char in text)


def utf16_units(text: str) -> list[str]:
    """The text as JavaScript indexes it: of a character beyond U+FFFF, two halves."""
    return [unit for char in text for unit in (char if char <= "\uffff" else "\ufffd\ufffd")]


def _utf16_at(text: str, at: int) -> Any:
    if utf16_length(text) == len(text):
        return text[at] if at < len(text) else UNDEFINED
    unit = text.encode("utf-16-le", "surrogatepass")[2 * at : 2 * at + 2]
    return unit.decode("utf-16-le", "replace") if unit else UNDEFINED


def entries(value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Object.entries: keys that look like array indexes come first, in numeric order."""
    if any(key[:1].isdigit() and is_index(key) for key in value):
        indexes = sorted((key for key in value if is_index(key)), key=int)
        yield from ((key, value[key]) for key in indexes)
        yield from ((key, item) for key, item in value.items() if not is_index(key))
    else:
        yield from value.items()


def stringify(value: Any) -> Any:
    """JSON.stringify(value): compact text; UNDEFINED for undefined."""
    if value is UNDEFINED:
        return UNDEFINED
    return _encode(value)


def _encode(value: Any) -> str:
    kind = type(value)
    if kind is dict:
        members = [f"{_quote(key)}:{_encode(item)}" for key, item in entries(value) if item is not UNDEFINED]
        return "{" + ",".join(members) + "}"
    if kind is list:
        return "[" + ",".join(["null" if item is UNDEFINED else _encode(item) for item in value]) + "]"
    if kind is str:
        return _quote(value)
    if kind is float and not math.isfinite(value):
        return "null"
    return to_string(value)


def _quote(text: str) -> str:
    return orjson.dumps(text).decode()


def parse_json(text: str) -> Any:
    """JSON.parse(text). Raises ValueError."""
    try:
        return orjson.loads(text)
    except ValueError:
        # What JavaScript takes and orjson doesn't: numbers beyond a double, deep nesting, lone surrogates.
        return _well_formed(json.loads(text, parse_int=_parse_int, parse_constant=_refuse))


def _parse_int(digits: str) -> float:
    return int(digits) if len(digits) < 19 else float(digits)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _well_formed(value: Any) -> Any:
    if type(value) is str:
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if type(value) is list:
        return [_well_formed(item) for item in value]
    if type(value) is dict:
        return {_well_formed(key): _well_formed(item) for key, item in value.items()}
    return value
