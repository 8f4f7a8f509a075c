"""Warehouses, their catalogue, and the sources connected to them (spec §14.4–14.5)."""

from typing import Any, Literal, TypedDict

import msgspec
from litestar import delete, get, patch, post
from litestar.params import RawBody
from msgspec import UNSET, UnsetType
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from onward.api.answers import (
    SUCCESS,
    Done,
    Json,
    Pagination,
    SourceView,
    numbered_page,
    paged,
    position,
    source_view,
)
from onward.api.answers import data as answer
from onward.api.bodies import Body
from onward.api.catalog_shapes import WarehouseMetadata
from onward.api.context import Id, InContext, Pages
from onward.api.function_entries import source_entry
from onward.api.metadata import warehouse_metadata
from onward.workspace import warehouses as edit
from onward.workspace.entities import Source, Warehouse, WarehouseSource
from onward.workspace.errors import Invalid, NotFound
from onward.workspace.pages import page
from onward.workspace.roles import Permission
from onward.workspace.sealed import shown
from onward.workspace.shapes import from_json
from onward.workspace.sources import get_source
from onward.workspace.warehouse_catalogue import WAREHOUSES, warehouse_definition

NOT_YET = (
    "Onward does not load warehouses in this version, and has not tried to connect; the settings are complete"
)


class CreateWarehouse(Body):
    metadata_id: str
    """Or, ours: the catalogue's slug."""
    settings: dict[str, Any]
    name: str | None = None
    enabled: bool = True
    disconnect_all_sources: bool | None = None
    """Ours. False: connect all sources that there are; none are connected otherwise."""


class UpdateWarehouse(Body):
    settings: dict[str, Any] = msgspec.field(default_factory=dict)
    """Merged into what is there."""
    name: str | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET


class ValidateWarehouse(Body):
    metadata_id: str
    settings: dict[str, Any]


class WarehouseView(TypedDict):
    id: str
    metadata: WarehouseMetadata
    workspaceId: str
    enabled: bool
    settings: dict[str, Any]
    """With the name as `name`. Secrets show as a mask, which may be sent back to keep them."""


class WarehouseAnswer(TypedDict):
    warehouse: WarehouseView


class WarehousesAnswer(TypedDict):
    warehouses: list[WarehouseView]
    pagination: Pagination


class ConnectedSources(TypedDict):
    sources: list[SourceView]
    pagination: Pagination


class ConnectAnswer(TypedDict):
    status: Literal["CONNECTED", "NOT_CONNECTED"]


class StateAnswer(TypedDict):
    connectionState: Literal["CONNECTED", "FAILED"]
    message: str
    """Ours: why."""


class ValidationAnswer(TypedDict):
    status: Literal["CONNECTED", "FAILED"]
    message: str
    """Ours: why."""


class CatalogAnswer(TypedDict):
    warehousesCatalog: list[WarehouseMetadata]
    pagination: Pagination


class MetadataAnswer(TypedDict):
    warehouseMetadata: WarehouseMetadata


@get("/catalog/warehouses", operation_id="getWarehousesCatalog", sync_to_thread=False, answer=CatalogAnswer)
def list_catalog(context: InContext, paging: Pages) -> Json:
    start, cursors = position(paging)
    entries = list(WAREHOUSES.values())
    return numbered_page(entries, "warehousesCatalog", paging.count, start, cursors, warehouse_metadata)


@get(
    "/catalog/warehouses/{warehouse_metadata_id:str}",
    operation_id="getWarehouseMetadata",
    sync_to_thread=False,
    answer=MetadataAnswer,
)
def get_metadata(context: InContext, warehouse_metadata_id: Id) -> Json:
    """By id or, ours, by slug."""
    try:
        found = warehouse_definition(warehouse_metadata_id)
    except Invalid as error:
        raise NotFound(error.message) from None
    return answer(warehouseMetadata=warehouse_metadata(found))


@get("/warehouses", operation_id="listWarehouses", sync_to_thread=True, answer=WarehousesAnswer)
def list_warehouses(context: InContext, paging: Pages) -> Json:
    with context.reading() as session:
        query = select(Warehouse).where(Warehouse.workspace_id == context.workspace_id)
        query = context.narrowed(query, Warehouse.id, Permission.WAREHOUSE_READ)
        found = page(session, query, Warehouse, paging.count, paging.cursor)
        return paged("warehouses", found, _view)


@post(
    "/warehouses",
    operation_id="createWarehouse",
    sync_to_thread=True,
    status_code=201,
    body=CreateWarehouse,
    answer=WarehouseAnswer,
)
def create_warehouse(context: InContext, body: RawBody) -> Json:
    """It is kept, and its settings are checked; in this version of Onward nothing is loaded into it yet."""
    context.access.require_everywhere(Permission.WAREHOUSE_WRITE)
    data = from_json(CreateWarehouse, body)
    connect_all = data.disconnect_all_sources is False
    if connect_all:
        context.access.require_everywhere(Permission.SOURCE_WRITE)
    with context.changing() as editor:
        warehouse = edit.create_warehouse(
            editor,
            kind=data.metadata_id,
            name=data.name or "",
            enabled=data.enabled,
            settings=data.settings,
            connect_all=connect_all,
        )
        return answer(warehouse=_view(warehouse))


@get(
    "/warehouses/{warehouse_id:str}", operation_id="getWarehouse", sync_to_thread=True, answer=WarehouseAnswer
)
def get_warehouse(context: InContext, warehouse_id: Id) -> Json:
    with context.reading() as session:
        return answer(warehouse=_view(edit.get_warehouse(session, context.workspace_id, warehouse_id)))


@patch(
    "/warehouses/{warehouse_id:str}",
    operation_id="updateWarehouse",
    sync_to_thread=True,
    body=UpdateWarehouse,
    answer=WarehouseAnswer,
)
def update_warehouse(context: InContext, warehouse_id: Id, body: RawBody) -> Json:
    data = from_json(UpdateWarehouse, body)
    with context.changing() as editor:
        warehouse = edit.get_warehouse(editor.session, context.workspace_id, warehouse_id)
        edit.update_warehouse(
            editor,
            warehouse,
            name="" if data.name is None else data.name,
            enabled=data.enabled,
            settings=data.settings,
        )
        return answer(warehouse=_view(warehouse))


@delete(
    "/warehouses/{warehouse_id:str}",
    operation_id="deleteWarehouse",
    sync_to_thread=True,
    status_code=200,
    answer=Done,
)
def delete_warehouse(context: InContext, warehouse_id: Id) -> Json:
    """What was loaded into it stays where it is."""
    with context.changing() as editor:
        edit.delete_warehouse(editor, edit.get_warehouse(editor.session, context.workspace_id, warehouse_id))
        return SUCCESS


@post(
    "/warehouses/validation",
    operation_id="createValidationInWarehouse",
    sync_to_thread=True,
    status_code=200,
    body=ValidateWarehouse,
    answer=ValidationAnswer,
)
def validate(context: InContext, body: RawBody) -> Json:
    """Whether settings are complete: 422 if not. Onward does not connect yet, which is always FAILED."""
    data = from_json(ValidateWarehouse, body)
    edit.check_settings(data.metadata_id, data.settings)
    return answer(status="FAILED", message=NOT_YET)


@get(
    "/warehouses/{warehouse_id:str}/connection-state",
    operation_id="getConnectionStateFromWarehouse",
    sync_to_thread=True,
    answer=StateAnswer,
)
def get_connection_state(context: InContext, warehouse_id: Id) -> Json:
    """FAILED, for Onward does not connect yet."""
    with context.reading() as session:
        edit.get_warehouse(session, context.workspace_id, warehouse_id)
    return answer(connectionState="FAILED", message=NOT_YET)


@get(
    "/warehouses/{warehouse_id:str}/connected-sources",
    operation_id="listConnectedSourcesFromWarehouse",
    sync_to_thread=True,
    answer=ConnectedSources,
)
def list_connected_sources(context: InContext, warehouse_id: Id, paging: Pages) -> Json:
    with context.reading() as session:
        warehouse = edit.get_warehouse(session, context.workspace_id, warehouse_id)
        connected = select(WarehouseSource.source_id).where(WarehouseSource.warehouse_id == warehouse.id)
        query = select(Source).where(Source.id.in_(connected)).options(selectinload(Source.write_keys))
        query = context.narrowed(query, Source.id, Permission.SOURCE_READ)
        found = page(session, query, Source, paging.count, paging.cursor)
        return paged("sources", found, lambda each: source_view(each, source_entry(context, each)))


@post(
    "/warehouses/{warehouse_id:str}/connected-sources/{source_id:str}",
    operation_id="addConnectionFromSourceToWarehouse",
    sync_to_thread=True,
    status_code=201,
    answer=ConnectAnswer,
)
def connect_source(context: InContext, warehouse_id: Id, source_id: Id) -> Json:
    """Also takes Source Admin for the source."""
    with context.changing() as editor:
        warehouse = edit.get_warehouse(editor.session, context.workspace_id, warehouse_id)
        source = get_source(editor.session, context.workspace_id, source_id)
        context.access.require(Permission.SOURCE_WRITE, source.id)
        edit.connect(editor, warehouse, source)
        return answer(status="CONNECTED")


@delete(
    "/warehouses/{warehouse_id:str}/connected-sources/{source_id:str}",
    operation_id="removeSourceConnectionFromWarehouse",
    sync_to_thread=True,
    status_code=200,
    answer=Done,
)
def disconnect_source(context: InContext, warehouse_id: Id, source_id: Id) -> Json:
    """Also takes Source Admin for the source."""
    with context.changing() as editor:
        warehouse = edit.get_warehouse(editor.session, context.workspace_id, warehouse_id)
        source = get_source(editor.session, context.workspace_id, source_id)
        context.access.require(Permission.SOURCE_WRITE, source.id)
        edit.disconnect(editor, warehouse, source)
        return SUCCESS


@get(
    "/sources/{source_id:str}/connected-warehouses",
    operation_id="listConnectedWarehousesFromSource",
    sync_to_thread=True,
    answer=WarehousesAnswer,
)
def list_connected_warehouses(context: InContext, source_id: Id, paging: Pages) -> Json:
    """Those that the caller may see."""
    with context.reading() as session:
        source = get_source(session, context.workspace_id, source_id)
        connected = select(WarehouseSource.warehouse_id).where(WarehouseSource.source_id == source.id)
        query = select(Warehouse).where(Warehouse.id.in_(connected))
        query = context.narrowed(query, Warehouse.id, Permission.WAREHOUSE_READ)
        found = page(session, query, Warehouse, paging.count, paging.cursor)
        return paged("warehouses", found, _view)


def _view(warehouse: Warehouse) -> WarehouseView:
    name = {"name": warehouse.name} if warehouse.name else {}
    return {
        "id": warehouse.id,
        "metadata": warehouse_metadata(warehouse_definition(warehouse.kind)),
        "workspaceId": warehouse.workspace_id,
        "enabled": warehouse.enabled,
        "settings": shown(warehouse) | name,
    }


ROUTES = [
    list_catalog,
    get_metadata,
    list_warehouses,
    create_warehouse,
    get_warehouse,
    update_warehouse,
    delete_warehouse,
    validate,
    get_connection_state,
    list_connected_sources,
    connect_source,
    disconnect_source,
    list_connected_warehouses,
]
