"""Destinations: create, update, enable, disable, delete (spec §8.3–8.5, §8.10).

A disabled one may lack settings that are required, as it is added before it is configured (§8.3); an enabled
one has them all.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from msgspec import UNSET, UnsetType
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from onward.workspace import audit, ids
from onward.workspace.compile import open_settings, secret_identity
from onward.workspace.definitions import Catalogue, Definition
from onward.workspace.delivery import Delivery, merge
from onward.workspace.entities import Destination, Source
from onward.workspace.errors import Conflict, Invalid, NotFound
from onward.workspace.function_catalogue import FunctionDefinition, find_destination_function
from onward.workspace.function_catalogue import definition_of as function_definition
from onward.workspace.function_deployment import ensure_deployed
from onward.workspace.functions import get_function
from onward.workspace.names import check_name
from onward.workspace.sealed import set_settings, unmask
from onward.workspace.store import Editor

MAX_INSTANCES = 25
"""Instances of one definition on one source (spec §8.4)."""


def get_destination(session: Session, workspace_id: str, id: str) -> Destination:
    """Raises `NotFound`."""
    destination = session.get(Destination, id)
    if destination is None or destination.source.workspace_id != workspace_id:
        raise NotFound(f"there is no destination {id}")
    return destination


def definition_of(catalogue: Catalogue, slug: str) -> Definition:
    """The definition of a stored destination; raises `Invalid` if this version no longer has it."""
    definition = catalogue.get(slug)
    if definition is None:
        raise Invalid(f"the catalogue has no destination {slug}", field="definition")
    return definition


def find_definition(catalogue: Catalogue, key: str) -> Definition:
    """By slug or by metadata id; raises `Invalid`."""
    found = catalogue.get(key) or next((each for each in catalogue.values() if each.id == key), None)
    if found is None:
        raise Invalid(f"the catalogue has no destination {key}", field="definition")
    return found


def create_destination(
    editor: Editor,
    source: Source,
    *,
    definition: str,
    name: str | None = None,
    enabled: bool = False,
    settings: Mapping[str, Any] | None = None,
    copy_from: Destination | None = None,
    delivery: Delivery | None = None,
) -> Destination:
    """A new instance, disabled unless said otherwise (spec §22.29). `definition`: catalogue slug or id.

    `copy_from`: another instance of the definition, whose settings, secrets included, this one has where
    `settings` says nothing else.
    """
    found = find_definition(editor.catalogue, definition)
    version_id = None
    if isinstance(found, FunctionDefinition):
        function = get_function(editor.session, editor.workspace.id, found.function_id)
        version_id = ensure_deployed(editor, function)
    instances = editor.session.scalar(
        select(func.count()).where(Destination.source_id == source.id, Destination.definition == found.slug)
    )
    if instances is not None and instances >= MAX_INSTANCES:
        raise Conflict(
            f"the source {source.slug} has {instances} instances of {found.name}; more are not possible",
            field="definition",
        )
    _check_name(editor, source, name := name if name is not None else _free_name(editor, source, found), None)
    destination = Destination(
        id=ids.resource_id(),
        source_id=source.id,
        definition=found.slug,
        name=name,
        enabled=False,
        active=[],
        settings={},
        secrets={},
        delivery={},
        function_version_id=version_id,
        created_at=editor.now,
        updated_at=editor.now,
    )
    copied = {} if copy_from is None else _copied(editor, found, copy_from)
    given = copied | unmask(found, settings or {}, copied)
    _set_settings(editor, destination, found, given, complete=enabled)
    if delivery is not None:
        destination.delivery = merge(destination.definition, {}, delivery)
    _set_enabled(editor, destination, enabled)
    editor.created(destination)
    return destination


def update_destination(
    editor: Editor,
    destination: Destination,
    *,
    name: str | UnsetType = UNSET,
    enabled: bool | UnsetType = UNSET,
    settings: Mapping[str, Any] | UnsetType = UNSET,
    replace_settings: bool = False,
    delivery: Delivery | UnsetType = UNSET,
    replace_delivery: bool = False,
) -> bool:
    """Change what is given; whether anything differs.

    Settings and delivery are merged into what is stored unless they are to replace it.
    """
    before = audit.state(destination)
    if name is not UNSET:
        _check_name(editor, destination.source, name, destination)
        destination.name = name
    enabling = enabled is True and not destination.enabled
    if settings is not UNSET or enabling:
        found = _definition_of(editor, destination)
        given = {} if settings is UNSET else settings
        if replace_settings and settings is not UNSET:
            given = dict.fromkeys(found.settings) | dict(given)
        complete = destination.enabled if enabled is UNSET else enabled
        _set_settings(editor, destination, found, given, complete=complete)
    if delivery is not UNSET:
        kept = {} if replace_delivery else destination.delivery
        destination.delivery = merge(destination.definition, kept, delivery)
    if enabled is not UNSET:
        _set_enabled(editor, destination, enabled)
    return editor.modified(destination, before)


def delete_destination(editor: Editor, destination: Destination) -> None:
    """With its subscriptions and filters."""
    editor.deleted(destination)


def _definition_of(editor: Editor, destination: Destination) -> Definition:
    """What it is: of a function, in the version that it runs; raises `Invalid`."""
    version_id = destination.function_version_id
    if version_id is not None:
        session, workspace = editor.session, editor.workspace
        function = find_destination_function(session, workspace.id, destination.definition)
        if function is not None:
            return function_definition(session, workspace, function, version_id)
    return definition_of(editor.catalogue, destination.definition)


def _set_enabled(editor: Editor, destination: Destination, enabled: bool) -> None:
    """Enabling opens a span and disabling closes it, so that what came in between is not delivered."""
    if enabled == destination.enabled:
        return
    destination.enabled = enabled
    if enabled:
        destination.active = [*destination.active, [editor.now, None]]
    else:
        start, _ = destination.active[-1]
        destination.active = [*destination.active[:-1], [start, max(start, editor.now)]]


def _set_settings(
    editor: Editor,
    destination: Destination,
    definition: Definition,
    given: Mapping[str, Any],
    *,
    complete: bool,
) -> None:
    identity = partial(secret_identity, destination.id)
    set_settings(destination, editor.cipher, identity, definition, given, complete=complete)


def _copied(editor: Editor, definition: Definition, other: Destination) -> dict[str, Any]:
    """The settings of another instance, as far as the definition has them; raises `Invalid`."""
    if other.definition != definition.slug:
        raise Invalid(
            f"{other.name} is a {other.definition}, not a {definition.slug}; only settings of the same kind "
            "of destination can be copied",
            field="copy_from",
        )
    values = open_settings(other, editor.cipher)
    return {name: value for name, value in values.items() if name in definition.settings}


def _check_name(editor: Editor, source: Source, name: str, destination: Destination | None) -> None:
    check_name(name)
    taken = editor.session.scalar(
        select(Destination.id).where(Destination.source_id == source.id, Destination.name == name)
    )
    if taken is not None and (destination is None or taken != destination.id):
        raise Conflict(f"the source {source.slug} has a destination named {name} already", field="name")


def _free_name(editor: Editor, source: Source, definition: Definition) -> str:
    """The definition's name, with a number from the second instance on."""
    taken = set(editor.session.scalars(select(Destination.name).where(Destination.source_id == source.id)))
    numbered = (f"{definition.name} {number}" for number in range(2, len(taken) + 3))
    return next(name for name in (definition.name, *numbered) if name not in taken)
