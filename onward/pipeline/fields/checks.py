"""Compile fields to functions that drop what is empty, then coerce and check (spec §9.6).

The order is that of actions-core, because it shows: empty values go first; then conditions and required
fields are looked at; then unknown members go and each value is coerced and checked, in the order of the
fields. All faults are collected.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onward.pipeline.fields.coercion import Types, coerce, fits
from onward.pipeline.fields.conditions import Conditional, compile_conditional, same
from onward.pipeline.fields.formats import FORMATS, LABELS
from onward.pipeline.fields.spec import FieldLike
from onward.pipeline.javascript import UNDEFINED, number_to_string, stringify, type_of, utf16_length

TYPES: dict[str, Types] = {
    "string": ("string",),
    "text": ("string",),
    "password": ("string",),
    "datetime": ("string", "number"),
    "number": ("number",),
    "integer": ("integer",),
    "boolean": ("boolean",),
    "object": ("object",),
}
PYTHON_TYPES: dict[str, type] = {
    "string": str,
    "number": int,
    "integer": int,
    "boolean": bool,
    "object": dict,
}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a payload."""

    path: str
    """The field, as a JSON pointer: `/products/0/price`."""
    message: str


Faults = list[Fault]


class ObjectCheck:
    """An object with known members: the payload itself, an object field, or an item of a list of objects."""

    def __init__(
        self, fields: Mapping[str, FieldLike], title: str = "", *, keep_unknown: bool = False
    ) -> None:
        self.title = title
        self.keep_unknown = keep_unknown
        self.members = {key: value_check(field) for key, field in fields.items()}
        self.required = [key for key, field in fields.items() if field.required is True]
        self.conditionals = _conditionals(fields)

    def without_requirements(self) -> "ObjectCheck":
        self.required, self.conditionals = [], []
        return self

    def prune(self, value: dict[str, Any], *, empty_text: bool = False) -> dict[str, Any]:
        """A copy without empty members; with `empty_text` empty strings are empty too."""
        pruned = {}
        for key, item in value.items():
            member = self.members.get(key)
            kept = member.prune(item) if member else item
            if kept is not UNDEFINED and not (empty_text and type(kept) is str and not kept):
                pruned[key] = kept
        return pruned

    def check(self, value: dict[str, Any], path: str, faults: Faults) -> dict[str, Any]:
        """A copy with its members coerced; what is wrong is added to `faults`."""
        for conditional in self.conditionals:
            if missing := conditional.missing(value):
                parent, key = missing
                faults.append(_missing(key, f"{path}{_pointer(parent)}" if parent else path))
                faults.append(Fault(path, f'{_subject("", path)} must match "then" schema'))
        faults += [_missing(key, path, self.title) for key in self.required if key not in value]
        checked = (
            value.copy() if self.keep_unknown else {key: value[key] for key in value if key in self.members}
        )
        for key, member in self.members.items():
            if key in checked:
                checked[key] = member.check(checked[key], path, key, faults)
        return checked


def _conditionals(fields: Mapping[str, FieldLike]) -> list[Conditional]:
    found = []
    for key, field in fields.items():
        found += [
            compile_conditional(key, name, member.required)
            for name, member in (_properties(field) or {}).items()
            if isinstance(member.required, Mapping)
        ]
        if isinstance(field.required, Mapping):
            found.append(compile_conditional(None, key, field.required))
    return found


def _properties(field: FieldLike) -> Mapping[str, FieldLike] | None:
    return getattr(field, "properties", None) if field.type == "object" else None


@dataclass(kw_only=True)
class ValueCheck:
    """One field's value, or with `item` its list of values."""

    title: str
    types: Types
    object: ObjectCheck | None = None
    item: "ValueCheck | None" = None
    choices: Sequence[Any] = ()
    lengths: tuple[float, float] = (0, 0)
    """The least and the greatest length of a text; 0 sets no limit."""
    limits: tuple[float, float] = (0, 0)
    """The least and the greatest number; 0 sets no limit."""
    format: str = ""

    def __post_init__(self) -> None:
        asks_more = self.object or self.item or self.choices or self.format
        limited = any((*self.lengths, *self.limits))
        simple = len(self.types) == 1 and not asks_more and not limited
        self.plain = PYTHON_TYPES.get(self.types[0]) if simple else None
        """The type whose values need no look at all."""
        self.scalar_asks = bool(limited or self.format or self.choices)
        self.asks_only_format = not limited and not self.choices

    def prune(self, value: Any) -> Any:
        """The value without what is empty in it, UNDEFINED if it is empty itself."""
        if value is None:
            return value if "null" in self.types else UNDEFINED
        if type(value) is str:
            return value if value or "string" in self.types else UNDEFINED
        if type(value) is list and self.item:
            texts = "string" in self.item.types
            return [item for item in value if item is not None and (texts or item != "")]
        if type(value) is dict and self.object:
            return self.object.prune(value)
        return value

    def check(self, value: Any, parent: str, key: str, faults: Faults) -> Any:
        """The value coerced; what is wrong is added to `faults`."""
        if type(value) is self.plain:
            return value
        fitted = fits(value, self.types)
        if not fitted:
            value, fitted = coerce(value, self.types)
        if not fitted or self.scalar_asks:
            path = f"{parent}{_pointer(key)}"
            subject = _subject(self.title, path)
            if not fitted:
                faults.append(Fault(path, f"{subject} must be {_a(self.types)} but it was {_kind(value)}"))
            faults += [Fault(path, f"{subject} {words}") for words in self.objections(value)]
        if type(value) is list and self.item:
            item, path = self.item, f"{parent}{_pointer(key)}"
            return [item.check(element, path, str(at), faults) for at, element in enumerate(value)]
        if type(value) is dict and self.object:
            return self.object.check(value, f"{parent}{_pointer(key)}", faults)
        return value

    def objections(self, value: Any) -> Iterator[str]:
        """What choices, limits and format have against a value."""
        if self.choices and not any(same(value, choice) for choice in self.choices):
            yield f"must be one of: {_listed([str(stringify(choice)) for choice in self.choices])}"
        if type(value) is str:
            shortest, longest = self.lengths
            if longest and len(value) > longest:
                yield f"must be {_characters(longest)} or fewer but it was {_characters(utf16_length(value))}"
            if shortest and len(value) < shortest:
                yield f"must be {_characters(shortest)} or more but it was {_characters(utf16_length(value))}"
            if self.format and not FORMATS[self.format](value):
                yield f"must be a valid {LABELS.get(self.format, self.format)} string but it was not"
        elif type(value) is int or (type(value) is float and math.isfinite(value)):
            lowest, highest = self.limits
            if highest and value > highest:
                yield f"must be equal to or less than {number_to_string(highest)}"
            if lowest and value < lowest:
                yield f"must be equal to or greater than {number_to_string(lowest)}"


def value_check(field: FieldLike) -> ValueCheck:
    if field.type not in TYPES:
        raise ValueError(f"unknown type {field.type!r} of the field {field.label!r}")
    types = TYPES[field.type]
    nullable = bool(getattr(field, "allow_null", False))
    choices = [*field.choices, *([None] if nullable else [])] if field.choices else []
    if field.multiple:
        item = ValueCheck(title="", types=types, object=_object_check(field, ""), choices=choices)
        return ValueCheck(title=field.label, types=("array",), item=item)
    members = _object_check(field, field.label)
    span = (field.minimum or 0, field.maximum or 0)
    return ValueCheck(
        title=field.label,
        types=(*types, "null") if nullable and not members else types,
        object=members,
        choices=choices,
        lengths=span if field.type == "string" else (0, 0),
        limits=span if field.type == "number" else (0, 0),
        format=_format(field),
    )


def _format(field: FieldLike) -> str:
    if field.type in ("text", "password"):
        return ""
    name = "date-like" if field.type == "datetime" else getattr(field, "format", None) or ""
    if name and name not in FORMATS:
        raise ValueError(f"unknown format {name!r} of the field {field.label!r}")
    return name


def _object_check(field: FieldLike, title: str) -> ObjectCheck | None:
    members = _properties(field)
    if members is None:
        return None
    keep = bool(getattr(field, "additional_properties", False))
    check = ObjectCheck(members, title, keep_unknown=keep)
    # If one member is required under conditions, the object as a whole asks for nothing by itself.
    conditional = any(isinstance(member.required, Mapping) for member in members.values())
    return check.without_requirements() if conditional else check


def _pointer(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _subject(title: str, path: str) -> str:
    return title or (f"the value at {path}" if path else "the root value")


def _missing(key: str, path: str, title: str = "") -> Fault:
    return Fault(f"{path}{_pointer(key)}", f"{_subject(title, path)} is missing the required field '{key}'")


def _a(types: Sequence[str]) -> str:
    return f"{'an' if types[0][0] in 'aeiou' else 'a'} {_listed(types)}"


def _kind(value: Any) -> str:
    kind = type_of(value)
    return kind if kind == "null" else f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _listed(items: Sequence[str]) -> str:
    if len(items) < 3:
        return " or ".join(items)
    return f"{', '.join(items[:-1])}, or {items[-1]}"


def _characters(count: float) -> str:
    return f"{number_to_string(count)} character{'' if count == 1 else 's'}"
