"""Fields as the catalogue writes them → `Field`. Pure."""

from collections.abc import Mapping
from typing import Any

from onward.destinations.definition import Field, SyncMode

Source = Mapping[str, Any]


def fields(source: Mapping[str, Source]) -> dict[str, Field]:
    return {key: field(key, each) for key, each in source.items()}


def field(key: str, source: Source) -> Field:
    values, labels = _choices(source.get("choices") or ())
    members = source.get("properties")
    return Field(
        label=source.get("label") or key,
        type=source.get("type", "string"),
        description=source.get("description") or "",
        required=source.get("required") or False,
        default=source.get("default"),
        choices=values,
        choice_labels=labels,
        multiple=bool(source.get("multiple")),
        secret=source.get("type") == "password",
        minimum=source.get("minimum"),
        maximum=source.get("maximum"),
        format=source.get("format") or "",
        allow_null=bool(source.get("allowNull")),
        properties=None if members is None else fields(members),
        additional_properties=bool(source.get("additionalProperties")),
        dynamic=bool(source.get("dynamic")),
        depends_on=source.get("depends_on"),
        category=source.get("category") or "",
        presentation=source.get("defaultObjectUI") or "",
        placeholder=source.get("placeholder") or "",
        read_only=bool(source.get("readOnly")),
        hidden=bool(source.get("unsafe_hidden")),
    )


def sync_mode(source: Source | None) -> SyncMode | None:
    if not source:
        return None
    values, labels = _choices(source.get("choices") or ())
    return SyncMode(
        label=source.get("label") or "",
        description=source.get("description") or "",
        choices=values,
        choice_labels=labels,
        default=source.get("default"),
    )


def _choices(source: Any) -> tuple[tuple[Any, ...], tuple[str, ...]]:
    """Values, and labels if any of them has one; each is a value or `{label, value}`."""
    pairs = [
        (each["value"], each.get("label") or str(each["value"]))
        if isinstance(each, Mapping)
        else (each, str(each))
        for each in source
    ]
    labels = tuple(label for _, label in pairs)
    values = tuple(value for value, _ in pairs)
    return values, labels if any(str(value) != label for value, label in pairs) else ()
