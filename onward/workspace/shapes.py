"""Values from outside as structs: strictly typed, and errors that name the place."""

import re
from typing import Any, TypeVar

import msgspec

from onward.workspace.errors import Invalid

Struct = TypeVar("Struct", bound=msgspec.Struct)

PLACE = re.compile(r"(.*) - at `\$\.?(.*)`$", re.DOTALL)
NAMED = re.compile(r"(?:unknown|required) field `([^`]*)`")


def from_value(kind: type[Struct], value: Any) -> Struct:
    """Raises `Invalid`."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise located(str(error)) from error


def from_json(kind: type[Struct], text: bytes) -> Struct:
    """Raises `Invalid`, or `msgspec.DecodeError` if the text is no JSON."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError as error:
        raise located(str(error)) from error


def located(message: str) -> Invalid:
    """A msgspec error, whose text ends with the place, as one with a field."""
    path = ""
    if found := PLACE.match(message):
        message, path = found[1], found[2]
    if named := NAMED.search(message):
        path = f"{path}.{named[1]}" if path else named[1]
    return Invalid(message, field=path or None)
