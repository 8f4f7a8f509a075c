"""What the workspace must know of the catalogue: its settings, actions and presets.

The catalogue itself lives above this room (`onward.destinations.catalog`); these protocols are met by
`onward.destinations.definition`, and the catalogue is handed in where the workspace is opened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from onward.workspace.ids import derived_id


class Field(Protocol):
    @property
    def label(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def required(self) -> Any: ...
    @property
    def default(self) -> Any: ...
    @property
    def choices(self) -> Sequence[Any]: ...
    @property
    def multiple(self) -> bool: ...
    @property
    def secret(self) -> bool: ...
    @property
    def minimum(self) -> float | None: ...
    @property
    def maximum(self) -> float | None: ...


@dataclass(frozen=True, kw_only=True)
class SettingField:
    """A setting of what is no entry of the catalogue of destinations: a function, a warehouse."""

    label: str
    type: str = "string"
    """Of `onward.workspace.values.KINDS`."""
    description: str = ""
    required: bool = False
    default: Any = None
    choices: Sequence[Any] = ()
    multiple: bool = False
    secret: bool = False
    minimum: float | None = None
    maximum: float | None = None


class SyncMode(Protocol):
    @property
    def choices(self) -> Sequence[str]: ...


class Action(Protocol):
    @property
    def slug(self) -> str: ...
    @property
    def default_trigger(self) -> str: ...
    @property
    def fields(self) -> Mapping[str, Field]: ...
    @property
    def hooks(self) -> Mapping[str, Any]: ...
    @property
    def sync_mode(self) -> SyncMode | None: ...


class Preset(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def trigger(self) -> str: ...
    @property
    def mapping(self) -> dict[str, Any]: ...
    @property
    def automatic(self) -> bool: ...


class Definition(Protocol):
    @property
    def slug(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def settings(self) -> Mapping[str, Field]: ...
    @property
    def actions(self) -> Mapping[str, Action]: ...
    @property
    def presets(self) -> Sequence[Preset]: ...
    @property
    def insert_refusal(self) -> str: ...


Catalogue = Mapping[str, Definition]
"""Definitions by slug."""


def is_secret(field: Field) -> bool:
    """Whether a setting is sealed at rest and never shown."""
    return field.secret or field.type == "password"


def action_id(definition_id: str, slug: str) -> str:
    """The Public API's id of an action. Actions have none of their own, so it follows from the slugs."""
    return derived_id("action", definition_id, slug)
