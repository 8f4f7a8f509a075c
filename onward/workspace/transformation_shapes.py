"""What a transformation does, as the Public API has it and as it is stored, and as the data plane has it."""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from onward.pipeline.governance.spec import Hash
from onward.pipeline.governance.spec import Transformation as Spec
from onward.workspace.secrets import Cipher


class Shape(msgspec.Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    pass


class PropertyRename(Shape):
    old_name: str
    new_name: str


class PropertyValue(Shape):
    property_paths: list[str]
    property_value: str | int | float | bool | None


class ComputedProperty(Shape):
    fql: str
    property_name: str


class HashConfiguration(Shape, omit_defaults=True):
    algorithm: str
    paths: list[str]
    key: str | None = None
    encoding: Literal["BASE16", "BASE64", "BASE64URL", "HEX"] | None = None
    prefix: str | None = None
    """Ours: what stands before the hash."""


class Changes(Shape, omit_defaults=True):
    """What a transformation does, beside naming the event; as it is stored and shown."""

    property_renames: list[PropertyRename] = []
    property_value_transformations: list[PropertyValue] = []
    fql_defined_properties: list[ComputedProperty] = []
    allow_properties: list[str] = []
    drop_properties: list[str] = []
    drop: bool = False
    """The whole event; nothing else is done then."""
    hash_properties_configuration: HashConfiguration | None = None


class GivenChanges(Shape):
    """What of it is to be changed; null takes it away."""

    property_renames: list[PropertyRename] | UnsetType | None = UNSET
    property_value_transformations: list[PropertyValue] | UnsetType | None = UNSET
    fql_defined_properties: list[ComputedProperty] | UnsetType | None = UNSET
    allow_properties: list[str] | UnsetType | None = UNSET
    drop_properties: list[str] | UnsetType | None = UNSET
    """Ours."""
    drop: bool | UnsetType | None = UNSET
    """Ours and the Go SDK's: events are dropped, whatever else is set."""
    hash_properties_configuration: HashConfiguration | UnsetType | None = UNSET


def changes_of(transformation: Any) -> Changes:
    """Of a transformation, as an entity or as a row of its columns."""
    return msgspec.convert(transformation.changes, Changes)


def spec_of(row: Any, cipher: Cipher) -> Spec:
    """A transformation, as an entity or as a row of its columns, for the data plane."""
    changes = changes_of(row)
    given = changes.hash_properties_configuration
    hash: Hash | None = None
    if given is not None:
        sealed = row.secrets.get("key")
        hash = Hash(
            algorithm=given.algorithm,
            paths=tuple(given.paths),
            key=cipher.open_value(sealed, sealed_identity(row.id)) if sealed else "",
            encoding=given.encoding or "HEX",
            prefix=given.prefix or "",
        )
    return Spec(
        id=row.id,
        condition=row.condition,
        new_event_name=row.new_event_name or "",
        renames=tuple((each.old_name, each.new_name) for each in changes.property_renames),
        values=tuple(
            (tuple(each.property_paths), each.property_value)
            for each in changes.property_value_transformations
        ),
        computed=tuple((each.property_name, each.fql) for each in changes.fql_defined_properties),
        allow=tuple(changes.allow_properties),
        drop=tuple(changes.drop_properties),
        drops_event=changes.drop,
        hash=hash,
    )


def sealed_identity(id: str) -> str:
    """What the sealed key is bound to."""
    return f"transformation/{id}/key"
