"""Transformations: create, update, delete (spec §5). What they do is in `onward.pipeline.governance`.

The key of a hash is a secret: it is sealed, and shows as a mask.
"""

from collections.abc import Iterator

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import select
from sqlalchemy.orm import Session

from onward.pipeline.governance.paths import ROOTS, PathError, parse
from onward.pipeline.governance.spec import Transformation as Spec
from onward.pipeline.governance.transformations import FIXED, TransformationError, compile_transformation
from onward.workspace import audit, ids
from onward.workspace.destinations import find_definition
from onward.workspace.entities import Source, Transformation
from onward.workspace.errors import Conflict, Invalid, NotFound, naming
from onward.workspace.names import check_name
from onward.workspace.secrets import MASK
from onward.workspace.store import Editor
from onward.workspace.transformation_shapes import (
    Changes,
    GivenChanges,
    HashConfiguration,
    changes_of,
    sealed_identity,
    spec_of,
)

MAX_VALUES = 10
MAX_PATHS = 10
MAX_COMPUTED = 1
"""These three are Segment's."""
MAX_NAMES = 200
"""Renames, or allowed, dropped or hashed paths."""
MAX_EVENT_NAME = 255
MAX_TRANSFORMATIONS = 500
"""Of one source."""


def get_transformation(session: Session, workspace_id: str, id: str) -> Transformation:
    """Raises `NotFound`."""
    found = session.get(Transformation, id)
    source = session.get(Source, found.source_id) if found is not None else None
    if found is None or source is None or source.workspace_id != workspace_id:
        raise NotFound(f"there is no transformation {id}")
    return found


def create_transformation(
    editor: Editor,
    source: Source,
    *,
    name: str,
    condition: str,
    enabled: bool,
    changes: GivenChanges,
    destination: str | None = None,
    new_event_name: str | None = None,
) -> Transformation:
    """`destination` is the slug or the metadata id of a kind of destinations; None for all of the source."""
    made = Transformation(
        id=ids.resource_id(),
        source_id=source.id,
        destination=_kind(editor, destination),
        name=name,
        enabled=enabled,
        condition=condition,
        new_event_name=new_event_name or None,
        changes={},
        secrets={},
        created_at=editor.now,
        updated_at=editor.now,
    )
    _change(editor, made, changes)
    _check(editor, made)
    editor.created(made)
    return made


def update_transformation(
    editor: Editor,
    transformation: Transformation,
    *,
    name: str | UnsetType = UNSET,
    source: Source | UnsetType = UNSET,
    destination: str | UnsetType | None = UNSET,
    condition: str | UnsetType = UNSET,
    enabled: bool | UnsetType = UNSET,
    new_event_name: str | UnsetType | None = UNSET,
    changes: GivenChanges,
) -> bool:
    """Change what is given; whether anything differs. A list replaces the whole list."""
    before = audit.state(transformation)
    if name is not UNSET:
        transformation.name = name
    if source is not UNSET:
        transformation.source_id = source.id
    if destination is not UNSET:
        transformation.destination = _kind(editor, destination)
    if condition is not UNSET:
        transformation.condition = condition
    if enabled is not UNSET:
        transformation.enabled = enabled
    if new_event_name is not UNSET:
        transformation.new_event_name = new_event_name or None
    _change(editor, transformation, changes)
    _check(editor, transformation)
    return editor.modified(transformation, before)


def delete_transformation(editor: Editor, transformation: Transformation) -> None:
    editor.deleted(transformation)


def _kind(editor: Editor, key: str | None) -> str | None:
    if not key:
        return None
    with naming(definition="destinationMetadataId"):
        return find_definition(editor.catalogue, key).slug


def _change(editor: Editor, transformation: Transformation, given: GivenChanges) -> None:
    changes = changes_of(transformation)
    for field in msgspec.structs.fields(Changes):
        value = getattr(given, field.name)
        if value is not UNSET and field.name != "hash_properties_configuration":
            setattr(changes, field.name, value or type(getattr(changes, field.name))())
    config = given.hash_properties_configuration
    if config is not UNSET:
        _seal(editor, transformation, config)
        changes.hash_properties_configuration = config and msgspec.structs.replace(config, key=None)
    transformation.changes = msgspec.to_builtins(changes)


def _seal(editor: Editor, transformation: Transformation, config: HashConfiguration | None) -> None:
    key = config.key if config is not None else None
    if key == MASK:
        if not transformation.secrets:
            raise Invalid("there is no key to keep", field="hashPropertiesConfiguration.key")
    elif key:
        identity, sealed = sealed_identity(transformation.id), transformation.secrets.get("key")
        if sealed is None or editor.cipher.open_value(sealed, identity) != key:
            transformation.secrets = {"key": editor.cipher.seal_value(key, identity)}
    else:
        transformation.secrets = {}


def _check(editor: Editor, transformation: Transformation) -> None:
    """Raises `Invalid` with the field as the Public API calls it, or `Conflict`."""
    check_name(transformation.name)
    changes = changes_of(transformation)
    if transformation.new_event_name is not None:
        check_name(transformation.new_event_name, "newEventName", MAX_EVENT_NAME)
    _check_condition(transformation)
    _check_renames(changes)
    _check_values(changes)
    _check_computed(transformation, changes)
    for name, paths in (
        ("allowProperties", changes.allow_properties),
        ("dropProperties", changes.drop_properties),
    ):
        _check_paths(name, paths)
    if (config := changes.hash_properties_configuration) is not None:
        _check_paths("hashPropertiesConfiguration.paths", config.paths)
    try:
        compile_transformation(spec_of(transformation, editor.cipher))
    except TransformationError as error:
        why = str(error).partition("is not valid: ")[2] or str(error)
        field = "hashPropertiesConfiguration" if changes.hash_properties_configuration else None
        raise Invalid(why, field=field) from error
    _check_others(editor, transformation)


def _check_condition(transformation: Transformation) -> None:
    try:
        compile_transformation(Spec(id="", condition=transformation.condition))
    except TransformationError as error:
        raise Invalid(str(error).partition("is not valid: ")[2] or str(error), field="if") from error


def _check_renames(changes: Changes) -> None:
    if len(changes.property_renames) > MAX_NAMES:
        raise Invalid(f"at most {MAX_NAMES} properties can be renamed", "propertyRenames")
    old_names: set[tuple[str, ...]] = set()
    for at, each in enumerate(changes.property_renames):
        place = f"propertyRenames[{at}]"
        for field, path in (("oldName", each.old_name), ("newName", each.new_name)):
            names = _parsed(path, f"{place}.{field}")
            if len(names) > 1 and names[0] == "context":
                raise Invalid("only properties and traits can be renamed", f"{place}.{field}")
        old = _parsed(each.old_name, place)
        if old in old_names:
            raise Invalid(f"{each.old_name} is renamed twice", f"{place}.oldName")
        old_names.add(old)


def _check_values(changes: Changes) -> None:
    values = changes.property_value_transformations
    if len(values) > MAX_VALUES:
        raise Invalid(f"at most {MAX_VALUES} values are possible", "propertyValueTransformations")
    renamed = {_parsed(each.old_name, "") for each in changes.property_renames}
    renamed |= {_parsed(each.new_name, "") for each in changes.property_renames}
    renamed |= {(root, *names) for names in renamed for root in ("properties", "traits")}
    seen: set[tuple[str, ...]] = set()
    for at, each in enumerate(values):
        place = f"propertyValueTransformations[{at}].propertyPaths"
        if not 1 <= len(each.property_paths) <= MAX_PATHS:
            raise Invalid(f"there must be 1 to {MAX_PATHS} paths", place)
        if isinstance(each.property_value, int) and abs(each.property_value) >= 1 << 63:
            raise Invalid("a number may have 64 bits", place.replace("Paths", "Value"))
        for path in each.property_paths:
            names = _parsed(path, place)
            if (names[0] in FIXED and names[0] not in ROOTS) or names in [(root,) for root in ROOTS]:
                raise Invalid(f"{path} can't be set by a transformation", place)
            if names in seen:
                raise Invalid(f"{path} is set twice", place)
            if names in renamed:
                raise Invalid(f"{path} is renamed by the same transformation", place)
            seen.add(names)


def _check_computed(transformation: Transformation, changes: Changes) -> None:
    computed = changes.fql_defined_properties
    if len(computed) > MAX_COMPUTED:
        raise Invalid("one property can be defined in FQL", "fqlDefinedProperties")
    others = (
        transformation.new_event_name or changes.property_renames or changes.property_value_transformations
    )
    if computed and others:
        raise Invalid(
            "this can't go with a new event name, property renames or property values", "fqlDefinedProperties"
        )
    for each in computed:
        _parsed(each.property_name, "fqlDefinedProperties[0].propertyName")
        spec = Spec(id="", condition="all", computed=((each.property_name, each.fql),))
        try:
            compile_transformation(spec)
        except TransformationError as error:
            why = str(error).partition("is not valid: ")[2]
            raise Invalid(why, "fqlDefinedProperties[0].fql") from error


def _check_paths(field: str, paths: list[str]) -> None:
    if len(paths) > MAX_NAMES:
        raise Invalid(f"at most {MAX_NAMES} paths are possible", field)
    for at, path in enumerate(paths):
        _parsed(path, f"{field}[{at}]")


def _parsed(path: str, field: str) -> tuple[str, ...]:
    try:
        return parse(path)
    except PathError as error:
        raise Invalid(str(error), field) from error


def _check_others(editor: Editor, transformation: Transformation) -> None:
    """One rule for each source, type, event and destination (spec §5)."""
    query = select(Transformation).where(
        Transformation.source_id == transformation.source_id, Transformation.id != transformation.id
    )
    with editor.session.no_autoflush:
        others = editor.session.scalars(query).all()
    if len(others) >= MAX_TRANSFORMATIONS:
        raise Conflict(f"a source may have {MAX_TRANSFORMATIONS} transformations")
    own = set(_kinds(transformation))
    for other in others:
        if other.destination == transformation.destination and _condition(other) == _condition(
            transformation
        ):
            shared = own & set(_kinds(other))
            if shared:
                raise Conflict(
                    f"the transformation {other.name} ({other.id}) changes {min(shared)} of the same events "
                    "already: change that one",
                    field="if",
                )


def _condition(transformation: Transformation) -> str:
    """Conditions that differ in blanks only are the same."""
    return "".join(transformation.condition.split()).replace('"', "'")


def _kinds(transformation: Transformation) -> Iterator[str]:
    """What it changes; two of the same kind, for the same events, would be at odds."""
    changes = changes_of(transformation)
    if changes.drop:
        yield "whether to drop"
    if transformation.new_event_name:
        yield "the name"
    if changes.property_renames:
        yield "names of properties"
    for value in changes.property_value_transformations:
        yield from (f"the value of {path}" for path in value.property_paths)
    for computed in changes.fql_defined_properties:
        yield f"the value of {computed.property_name}"
    if changes.allow_properties:
        yield "allowed properties"
    if changes.drop_properties:
        yield "dropped properties"
    if changes.hash_properties_configuration is not None:
        yield "hashed properties"
