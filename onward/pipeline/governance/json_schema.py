"""JSON Schema of tracking plans (draft 7), and what an event violates in one.

The validator is jsonschema-rs: 3.4 µs for an event of 700 bytes that fastjsonschema takes 22 µs for. Its
patterns run in time linear to the text, so no rule can be made to stall the front door; look-around and
back references are not possible in such patterns, as they are not with Segment. References to anything
outside of the schema are refused: nothing is fetched.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import jsonschema_rs
import msgspec

MASK = "the value"
"""Stands for what an event holds, in descriptions: they are forwarded and kept."""
MOST = 10
"""Violations told of one event and one rule."""
MAX_BYTES = 100_000
"""Of one schema, as JSON."""
MAX_DEPTH = 50


class SchemaError(ValueError):
    """A schema that can't be used; the message says why."""


class Violation(msgspec.Struct, frozen=True):
    kind: str
    """`Required`, `Invalid Type`, or the schema's word for it: `Enum`, `Pattern`."""
    field: str
    """`properties.total`; `(root)` for the event as a whole."""
    description: str
    place: tuple[str | int, ...]
    """Where the value is that does it; () if none is there."""

    def shown(self) -> dict[str, str]:
        """As it stands in `context.protocols`."""
        return {"type": self.kind, "field": self.field, "description": self.description}


class Schema:
    """Raises `SchemaError` if the schema is not valid."""

    def __init__(self, schema: Any) -> None:
        _check(schema, 0)
        try:
            if len(msgspec.json.encode(schema)) > MAX_BYTES:
                raise SchemaError(f"a schema may have {MAX_BYTES} bytes")
            self._validator = jsonschema_rs.Draft7Validator(
                schema,
                validate_formats=True,
                pattern_options=jsonschema_rs.RegexOptions(),
                retriever=_refuse,
                mask=MASK,
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            raise SchemaError(_reason(error, schema)) from error
        self.is_valid = self._validator.is_valid

    def violations(self, event: Any) -> list[Violation]:
        """At most `MOST`, in the order of the schema."""
        if self.is_valid(event):
            return []
        found = (each for error in self._validator.iter_errors(event) for each in _violations(error, event))
        return list(islice(found, MOST))


def _violations(error: Any, event: Any) -> Iterator[Violation]:
    """One for each property at fault."""
    place: tuple[str | int, ...] = tuple(error.instance_path)
    names: Iterable[str] = ()
    if error.kind.name == "additionalProperties":
        names = error.kind.unexpected
    elif error.kind.name == "falseSchema" and list(error.schema_path)[-1:] == ["additionalProperties"]:
        names = _at(event, place)  # of a schema that allows no properties at all
    if names:
        for name in names:
            field = ".".join(map(str, (*place, name)))
            yield Violation("Not Allowed", field, f"{field} is not allowed", (*place, name))
    else:
        yield _violation(error, place, event)


def _violation(error: Any, place: tuple[str | int, ...], event: Any) -> Violation:
    kind = error.kind
    field = ".".join(map(str, place)) or "(root)"
    if kind.name == "required":
        field = ".".join(map(str, (*place, kind.property)))
        return Violation("Required", field, f"{field} is required", ())
    if kind.name == "type":
        given = _type(_at(event, place))
        expected = ", ".join(kind.types)
        return Violation("Invalid Type", field, f"Invalid type. Expected: {expected}, given: {given}", place)
    if kind.name == "falseSchema":
        return Violation("Not Allowed", field, f"{field} is not allowed", place)
    return Violation(_title(kind.name), field, error.message[:500], place)


def _check(schema: Any, depth: int) -> None:
    """That it refers to nothing outside of itself, and that reading it can't exhaust anything."""
    if depth > MAX_DEPTH:
        raise SchemaError(f"it is nested deeper than {MAX_DEPTH} levels")
    if isinstance(schema, dict):
        reference = schema.get("$ref")
        if isinstance(reference, str) and not reference.startswith("#"):
            raise SchemaError(
                f"it refers to {reference[:100]}; a schema may only refer to its own parts (#/…)"
            )
        for value in schema.values():
            _check(value, depth + 1)
    elif isinstance(schema, list):
        for value in schema:
            _check(value, depth + 1)
    elif isinstance(schema, int) and not -(1 << 63) <= schema < 1 << 64:
        raise SchemaError("it holds a number of more than 64 bits, which no event can have")


def _refuse(uri: str) -> Any:
    raise ValueError(f"a schema may only refer to its own parts, not to {uri[:100]}")


def _reason(error: Exception, schema: Any) -> str:
    """What is wrong with a schema, and where."""
    if not isinstance(error, jsonschema_rs.ValidationError):
        return str(error).partition("\n")[0] or type(error).__name__
    place = tuple(error.instance_path)
    what = error.message
    if error.message.startswith(MASK):  # here it is the schema's own text, which may be shown
        what = f"{_brief(_at(schema, place))}{error.message.removeprefix(MASK)}"
    return f"{'.'.join(map(str, place))}: {what}" if place else what


def _brief(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 100 else f"{text[:100]}…"


def _at(value: Any, place: tuple[str | int, ...]) -> Any:
    for step in place:
        value = value[step]
    return value


def _type(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _title(name: str) -> str:
    """`minLength` → `Min Length`."""
    return "".join(_words(name))


def _words(name: str) -> Iterator[str]:
    for at, char in enumerate(name):
        if at == 0:
            yield char.upper()
        elif char.isupper():
            yield " " + char
        else:
            yield char
