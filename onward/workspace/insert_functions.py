"""Insert functions before destinations and after sources: connect, change, disconnect (spec §10.8).

A destination has one insert function at most, and so has a source. Those of destinations run on the way to
their mappings (`onward.delivery.functions`), those of sources at the front door
(`onward.tracking.source_inserts`).
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from msgspec import UNSET, UnsetType
from sqlalchemy import select
from sqlalchemy.orm import Session

from onward.workspace import audit, ids
from onward.workspace.entities import Destination, Function, InsertInstance, Source, Warehouse
from onward.workspace.errors import Conflict, Invalid, NotFound
from onward.workspace.function_catalogue import definition_of
from onward.workspace.function_deployment import ensure_deployed
from onward.workspace.function_instances import sealed_identity
from onward.workspace.names import check_name
from onward.workspace.sealed import set_settings
from onward.workspace.store import Editor
from onward.workspace.warehouse_catalogue import warehouse_definition

INSERTED = ("INSERT_DESTINATION", "INSERT_SOURCE")


def get_instance(session: Session, workspace_id: str, id: str) -> InsertInstance:
    """Raises `NotFound`."""
    instance = session.get(InsertInstance, id)
    if instance is None or instance.function.workspace_id != workspace_id:
        raise NotFound(f"there is no insert function instance {id}")
    return instance


def find_place(session: Session, workspace_id: str, function: Function, id: str) -> Destination | Source:
    """Where a function is to be: a destination, or for `INSERT_SOURCE` a source; raises `Invalid`."""
    if function.kind not in INSERTED:
        raise Invalid(
            f"{function.name} is a {function.kind} function; only {' and '.join(INSERTED)} can be inserted",
            field="functionId",
        )
    if function.kind == "INSERT_SOURCE":
        source = session.get(Source, id)
        if source is None or source.workspace_id != workspace_id:
            raise Invalid(f"there is no source {id}", field="integrationId")
        return source
    destination = session.get(Destination, id)
    if destination is None or destination.source.workspace_id != workspace_id:
        warehouse = session.get(Warehouse, id)
        if warehouse is not None and warehouse.workspace_id == workspace_id:
            raise Invalid(
                _refusal(warehouse.name, warehouse_definition(warehouse.kind).insert_refusal),
                field="integrationId",
            )
        raise Invalid(f"there is no destination {id}", field="integrationId")
    return destination


def create_instance(
    editor: Editor,
    function: Function,
    place: Destination | Source,
    *,
    name: str,
    enabled: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> InsertInstance:
    """`place`: of `find_place`. A function that was never deployed is. Raises `Invalid`."""
    check_name(name)
    on_destination = isinstance(place, Destination)
    if isinstance(place, Destination):
        _require_events(editor, place)
    column = InsertInstance.destination_id if on_destination else InsertInstance.source_id
    if editor.session.scalar(select(InsertInstance.id).where(column == place.id)) is not None:
        raise Conflict(f"{place.name} has an insert function already", field="integrationId")
    instance = InsertInstance(
        id=ids.resource_id(),
        function_id=function.id,
        function_version_id=ensure_deployed(editor, function),
        destination_id=place.id if on_destination else None,
        source_id=None if on_destination else place.id,
        name=name,
        enabled=enabled,
        settings={},
        secrets={},
        created_at=editor.now,
        updated_at=editor.now,
    )
    _set_settings(editor, instance, function, settings or {})
    editor.created(instance)
    return instance


def update_instance(
    editor: Editor,
    instance: InsertInstance,
    *,
    name: str | UnsetType = UNSET,
    enabled: bool | UnsetType = UNSET,
    settings: Mapping[str, Any] | UnsetType = UNSET,
) -> bool:
    """Change what is given; whether anything differs. Settings are merged into what is there."""
    before = audit.state(instance)
    if name is not UNSET:
        check_name(name)
        instance.name = name
    if enabled is not UNSET:
        instance.enabled = enabled
    _set_settings(editor, instance, instance.function, {} if settings is UNSET else settings)
    return editor.modified(instance, before)


def delete_instance(editor: Editor, instance: InsertInstance) -> None:
    editor.deleted(instance)


def _require_events(editor: Editor, destination: Destination) -> None:
    """Only destinations of events take one; storage, lists of people and functions do not (spec §10.8)."""
    definition = editor.catalogue.get(destination.definition)
    if definition is not None and definition.insert_refusal:
        name = destination.name or definition.name
        raise Invalid(_refusal(name, definition.insert_refusal), field="integrationId")


def _refusal(name: str, why: str) -> str:
    return f"no insert function can stand before {name}: {why}; only a destination of events takes one"


def _set_settings(
    editor: Editor, instance: InsertInstance, function: Function, given: Mapping[str, Any]
) -> None:
    """What is disabled need not have what is required."""
    definition = definition_of(
        editor.session,
        editor.workspace,
        function,
        instance.function_version_id,
        all_optional=not instance.enabled,
    )
    set_settings(instance, editor.cipher, partial(sealed_identity, instance), definition, given)
