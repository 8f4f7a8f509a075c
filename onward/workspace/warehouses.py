"""Warehouses and the sources connected to them: create, change, connect, delete (spec §14.5).

They are kept, with their secrets sealed; nothing is loaded into them yet. When something is, it will begin
with what the event log still holds.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from msgspec import UNSET, UnsetType
from sqlalchemy import select
from sqlalchemy.orm import Session

from onward.workspace import audit, ids
from onward.workspace.entities import SelectiveSync, Source, Warehouse, WarehouseSource
from onward.workspace.errors import Invalid, NotFound
from onward.workspace.names import check_name
from onward.workspace.sealed import set_settings, unmask
from onward.workspace.store import Editor
from onward.workspace.values import settle
from onward.workspace.warehouse_catalogue import WarehouseDefinition, warehouse_definition


def get_warehouse(session: Session, workspace_id: str, id: str) -> Warehouse:
    """Raises `NotFound`."""
    warehouse = session.get(Warehouse, id)
    if warehouse is None or warehouse.workspace_id != workspace_id:
        raise NotFound(f"there is no warehouse {id}")
    return warehouse


def create_warehouse(
    editor: Editor,
    *,
    kind: str,
    name: str = "",
    enabled: bool = True,
    settings: Mapping[str, Any],
    connect_all: bool = False,
) -> Warehouse:
    """`kind` is a catalogue slug or id; `connect_all`: with all sources that there are."""
    definition = warehouse_definition(kind)
    warehouse = Warehouse(
        id=ids.resource_id(),
        workspace_id=editor.workspace.id,
        kind=definition.slug,
        name="",
        enabled=enabled,
        settings={},
        secrets={},
        schedule={},
        created_at=editor.now,
        updated_at=editor.now,
    )
    _set_settings(editor, warehouse, settings)
    _set_name(warehouse, name or warehouse.name)
    editor.created(warehouse)
    if connect_all:
        sources = select(Source).where(Source.workspace_id == editor.workspace.id)
        for source in editor.session.scalars(sources.order_by(Source.created_at, Source.id)):
            connect(editor, warehouse, source)
    return warehouse


def update_warehouse(
    editor: Editor,
    warehouse: Warehouse,
    *,
    name: str | UnsetType = UNSET,
    enabled: bool | UnsetType = UNSET,
    settings: Mapping[str, Any] | UnsetType = UNSET,
) -> bool:
    """Change what is given; whether anything differs. Settings are merged into what is there."""
    before = audit.state(warehouse)
    if enabled is not UNSET:
        warehouse.enabled = enabled
    if settings is not UNSET:
        _set_settings(editor, warehouse, settings)
    if name is not UNSET:  # last: settings sent back as an answer said them have the former name
        _set_name(warehouse, name)
    return editor.modified(warehouse, before)


def delete_warehouse(editor: Editor, warehouse: Warehouse) -> None:
    """With its connections to sources and what was selected; what is in the warehouse itself stays."""
    editor.deleted(warehouse)


def check_settings(kind: str, settings: Mapping[str, Any]) -> None:
    """Raises `Invalid` if a warehouse could not be made with these settings."""
    definition = warehouse_definition(kind)
    given = {name: value for name, value in _spelled(settings).items() if name != "name"}
    settle(definition, unmask(definition, given, {}), {})
    _check_together(definition, given)


def is_connected(session: Session, warehouse: Warehouse, source: Source) -> bool:
    return session.get(WarehouseSource, (warehouse.id, source.id)) is not None


def connect(editor: Editor, warehouse: Warehouse, source: Source) -> None:
    """Sync the source to the warehouse. What is connected already stays so."""
    if is_connected(editor.session, warehouse, source):
        return
    before = connected_ids(editor.session, warehouse)
    editor.session.add(WarehouseSource(warehouse_id=warehouse.id, source_id=source.id, created_at=editor.now))
    editor.session.flush()
    record(editor, warehouse, sources=(before, connected_ids(editor.session, warehouse)))


def disconnect(editor: Editor, warehouse: Warehouse, source: Source) -> None:
    """Raises `NotFound` if the source is not connected."""
    connection = editor.session.get(WarehouseSource, (warehouse.id, source.id))
    if connection is None:
        raise NotFound(f"the source {source.slug} is not connected to this warehouse")
    before = connected_ids(editor.session, warehouse)
    editor.session.delete(connection)
    editor.session.flush()
    record(editor, warehouse, sources=(before, connected_ids(editor.session, warehouse)))


def connected_ids(session: Session, warehouse: Warehouse) -> list[str]:
    query = select(WarehouseSource.source_id).where(WarehouseSource.warehouse_id == warehouse.id)
    return sorted(session.scalars(query))


def record(editor: Editor, warehouse: Warehouse, **changed: tuple[Any, Any]) -> None:
    """Write down that something beside the warehouse's own columns was changed, `(before, after)` each."""
    warehouse.updated_at = editor.now
    state = audit.state(warehouse)
    before = {name: former for name, (former, _) in changed.items()}
    after = {name: later for name, (_, later) in changed.items()}
    editor.record(warehouse, audit.event_type(warehouse, "Modified"), state | before, state | after)


def overrides_of(session: Session, warehouse: Warehouse) -> list[SelectiveSync]:
    """What was selected, in order."""
    query = select(SelectiveSync).where(SelectiveSync.warehouse_id == warehouse.id)
    order = (SelectiveSync.source_id, SelectiveSync.collection, SelectiveSync.property)
    return list(session.scalars(query.order_by(*order)))


def _set_name(warehouse: Warehouse, name: str) -> None:
    if name:
        check_name(name)
    warehouse.name = name


def _set_settings(editor: Editor, warehouse: Warehouse, given: Mapping[str, Any]) -> None:
    """`name` among them is the warehouse's, as Segment's answers show it."""
    values = _spelled(given)
    if "name" in values:
        name = values.pop("name")
        if name is not None and not isinstance(name, str):
            raise Invalid("this must be a text", field="settings.name")
        _set_name(warehouse, warehouse.name if name is None else name)
    definition = warehouse_definition(warehouse.kind)
    set_settings(warehouse, editor.cipher, partial(_identity, warehouse), definition, values)
    _check_together(definition, {**warehouse.settings, **warehouse.secrets})


def _identity(warehouse: Warehouse, setting: str) -> str:
    """What a sealed setting is bound to."""
    return f"warehouse/{warehouse.id}/{setting}"


def _spelled(given: Mapping[str, Any]) -> dict[str, Any]:
    """Ports may be given as numbers."""
    port = given.get("port")
    return {**given, "port": str(port)} if type(port) is int else dict(given)


def _check_together(definition: WarehouseDefinition, values: Mapping[str, Any]) -> None:
    port = values.get("port")
    if isinstance(port, str) and not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= 65535):
        raise Invalid("this must be a number from 1 to 65535", field="settings.port")
    if definition.slug == "snowflake" and not values.get("password") and not values.get("privateKey"):
        raise Invalid("Snowflake needs a password or a private key", field="settings.password")
    path = values.get("path")
    if isinstance(path, str) and (path.startswith(".") or "/" in path or "\\" in path or "\0" in path):
        raise Invalid("this must be the name of a file, without a folder", field="settings.path")
