"""A workspace's destination functions as entries of its catalogue of destinations (spec §10.1, §10.10).

A destination that is a function is a `Destination` whose definition is `function-<id>`. Its settings are
those of the version that it runs; of one that is to be connected, those of the deployed version. It has no
actions, for a function takes events as they are. How it is delivered to: `onward.delivery.functions`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from onward.workspace.database import reading
from onward.workspace.definitions import Action, Catalogue, Definition, Field, Preset, SettingField
from onward.workspace.entities import Function, FunctionVersion, Workspace

PREFIX = "function-"
"""Of the slugs of destinations that are functions."""

INSERT_REFUSAL = "it is a function itself"

SettingType = Literal["STRING", "BOOLEAN", "ARRAY", "TEXT_MAP"]

FIELD_TYPES: dict[SettingType, str] = {
    "STRING": "string",
    "BOOLEAN": "boolean",
    "ARRAY": "string",
    "TEXT_MAP": "text_map",
}


class FunctionSetting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A setting that a function asks for (spec §10.7)."""

    name: str
    """By which the code finds it."""
    type: SettingType
    label: str = ""
    description: str = ""
    required: bool = False
    sensitive: bool = False
    """Whether its values are encrypted and never shown."""


@dataclass(frozen=True, kw_only=True)
class FunctionDefinition:
    """What a destination is to the workspace's edits, of a function."""

    slug: str
    id: str
    name: str
    description: str
    function_id: str
    deployed: bool
    fields: Mapping[str, SettingField]
    actions: Mapping[str, Action] = field(default_factory=dict)
    presets: Sequence[Preset] = ()
    insert_refusal: str = INSERT_REFUSAL

    @property
    def settings(self) -> Mapping[str, Field]:
        return self.fields


def is_function(slug: str) -> bool:
    """Whether this is the definition of a destination that is a function."""
    return slug.startswith(PREFIX)


def slug_of(function: Function) -> str:
    return PREFIX + function.id


def shown_name(function: Function, workspace: Workspace) -> str:
    """With the workspace's name, as Segment appends it where others could have a function of that name."""
    return function.name if function.kind == "SOURCE" else f"{function.name} ({workspace.name})"


def settings_of(version: FunctionVersion) -> list[FunctionSetting]:
    return msgspec.convert(version.settings, list[FunctionSetting])


def fields_of(settings: Sequence[FunctionSetting], *, all_optional: bool = False) -> dict[str, SettingField]:
    return {
        each.name: SettingField(
            label=each.label or each.name,
            type=FIELD_TYPES[each.type],
            description=each.description,
            required=each.required and not all_optional,
            multiple=each.type == "ARRAY",
            secret=each.sensitive,
        )
        for each in settings
    }


def effective_version(session: Session, function: Function) -> FunctionVersion:
    """The deployed one, or of a function that never was the latest."""
    return session.get_one(FunctionVersion, function.deployed_id or function.latest_id)


def definition_of(
    session: Session,
    workspace: Workspace,
    function: Function,
    version_id: str | None = None,
    *,
    all_optional: bool = False,
) -> FunctionDefinition:
    """`version_id`: what an instance runs; None for what is to be connected. `all_optional`: for what is
    disabled and need not have what is required."""
    version = (
        effective_version(session, function)
        if version_id is None
        else session.get_one(FunctionVersion, version_id)
    )
    settings = settings_of(version)
    return FunctionDefinition(
        slug=slug_of(function),
        id=function.catalog_id,
        name=shown_name(function, workspace),
        description=function.description,
        function_id=function.id,
        deployed=function.deployed_id is not None,
        fields=fields_of(settings, all_optional=all_optional),
    )


def destination_functions(session: Session, workspace_id: str) -> list[Function]:
    """Oldest first."""
    query = select(Function).where(Function.workspace_id == workspace_id, Function.kind == "DESTINATION")
    return list(session.scalars(query.order_by(Function.created_at, Function.id)))


def find_destination_function(session: Session, workspace_id: str, key: str) -> Function | None:
    """By slug or catalog id."""
    return _find(session, workspace_id, "DESTINATION", key)


def source_functions(session: Session, workspace_id: str) -> list[Function]:
    """Oldest first."""
    query = select(Function).where(Function.workspace_id == workspace_id, Function.kind == "SOURCE")
    return list(session.scalars(query.order_by(Function.created_at, Function.id)))


def find_source_function(session: Session, workspace_id: str, key: str) -> Function | None:
    """By slug or catalog id."""
    return _find(session, workspace_id, "SOURCE", key)


def is_source_function(engine: Engine, id: str) -> bool:
    """Whether there is a source function of this id, in any workspace."""
    with reading(engine) as session:
        function = session.get(Function, id)
        return function is not None and function.kind == "SOURCE"


def _find(session: Session, workspace_id: str, kind: str, key: str) -> Function | None:
    by = Function.id == key.removeprefix(PREFIX) if is_function(key) else Function.catalog_id == key
    return session.scalar(
        select(Function).where(Function.workspace_id == workspace_id, Function.kind == kind, by)
    )


class WorkspaceCatalogue(Mapping[str, Definition]):
    """The installation's catalogue, and after it the workspace's destination functions."""

    def __init__(self, catalogue: Catalogue, session: Session, workspace: Workspace) -> None:
        self._catalogue = catalogue
        self._session = session
        self._workspace = workspace

    def __getitem__(self, slug: str) -> Definition:
        """Raises `KeyError`."""
        if not is_function(slug):
            return self._catalogue[slug]
        function = find_destination_function(self._session, self._workspace.id, slug)
        if function is None:
            raise KeyError(slug)
        return definition_of(self._session, self._workspace, function)

    def __iter__(self) -> Iterator[str]:
        yield from self._catalogue
        yield from map(slug_of, destination_functions(self._session, self._workspace.id))

    def __len__(self) -> int:
        return len(self._catalogue) + len(destination_functions(self._session, self._workspace.id))
