"""What a field says about its values (spec §9.5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class FieldLike(Protocol):
    """The attributes that every field has; `onward.destinations.definition.Field` is one.

    A field may also have `format`, `allow_null`, `properties` (of an object, or of the items of a list) and
    `additional_properties`; see `FieldSchema` for what they mean.
    """

    @property
    def label(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def required(self) -> Any: ...
    @property
    def choices(self) -> Sequence[Any]: ...
    @property
    def multiple(self) -> bool: ...
    @property
    def minimum(self) -> float | None: ...
    @property
    def maximum(self) -> float | None: ...


@dataclass(frozen=True, kw_only=True)
class FieldSchema:
    """A field with all that can be said; `of` reads the form that Segment's catalogue has."""

    label: str = ""
    type: str = "string"
    required: bool | Mapping[str, Any] = False
    """True, False, or `{"match": "any" | "all", "conditions": [{"fieldKey", "operator": "is" | "is_not",
    "value"?}]}`: required when the conditions hold. Without a value, `is` means absent or null."""
    choices: Sequence[Any] = ()
    multiple: bool = False
    """A list of such values; a single value becomes a list of one."""
    minimum: float | None = None
    """Of a number its least value, of a `string` its least length; 0 sets no limit."""
    maximum: float | None = None
    format: str = ""
    allow_null: bool = False
    properties: "Mapping[str, FieldLike] | None" = None
    """The members of an object that are known; None if it may hold anything."""
    additional_properties: bool = False
    """Whether members that `properties` doesn't name are kept."""

    @classmethod
    def of(cls, source: Mapping[str, Any]) -> "FieldSchema":
        """From JSON in Segment's spelling (`allowNull`, `choices` as texts or `{label, value}`)."""
        members = source.get("properties")
        return cls(
            label=source.get("label") or "",
            type=source.get("type", "string"),
            required=source.get("required") or False,
            choices=[
                choice["value"] if isinstance(choice, Mapping) else choice
                for choice in source.get("choices") or ()
            ],
            multiple=bool(source.get("multiple")),
            minimum=source.get("minimum"),
            maximum=source.get("maximum"),
            format=source.get("format") or "",
            allow_null=bool(source.get("allowNull")),
            properties=None if members is None else {key: cls.of(value) for key, value in members.items()},
            additional_properties=bool(source.get("additionalProperties")),
        )
