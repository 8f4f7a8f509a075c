"""What of a warehouse's sources is synced, when, and what came of it (spec §14.5). Nothing is synced yet."""

from typing import Any, Literal, NotRequired, TypedDict

from litestar import Router, get, patch, put
from litestar.params import RawBody
from sqlalchemy.orm import Session

from onward.api.answers import Json, Pagination, numbered_page, position
from onward.api.answers import data as answer
from onward.api.bodies import Body
from onward.api.context import Context, Id, InContext, Pages
from onward.workspace import selective_sync as edit
from onward.workspace.entities import Source, Warehouse
from onward.workspace.errors import NotFound
from onward.workspace.selective_sync import Override, Schedule
from onward.workspace.shapes import from_json
from onward.workspace.sources import get_source
from onward.workspace.warehouses import get_warehouse, is_connected


class UpdateSelection(Body):
    sync_overrides: list[Override]


class ReplaceSchedule(Body):
    enabled: bool
    schedule: Schedule | None = None
    """None only with `enabled` false."""


class SelectedItem(TypedDict):
    sourceId: str
    warehouseId: str
    collection: str
    """Empty for the source as a whole, where only that was switched off."""
    enabled: bool
    properties: dict[str, Any]
    """Whether each is synced, of those that something was said of."""


class ItemsAnswer(TypedDict):
    items: list[SelectedItem]
    pagination: Pagination


class UpdatedAnswer(TypedDict):
    status: Literal["UPDATED", "UNCHANGED"]
    warnings: list[str]


class Notice(TypedDict):
    level: str
    message: str
    createdAt: str


class SyncReport(TypedDict):
    sourceId: str
    start: str
    end: str | None
    status: str
    duration: float
    """Seconds."""
    humanDuration: str
    count: int
    """Rows."""
    notices: list[Notice]


class ReportsAnswer(TypedDict):
    reports: list[SyncReport]
    pagination: Pagination


class TimeView(TypedDict):
    hourOfDay: int
    enabled: bool


class ScheduleView(TypedDict):
    times: list[TimeView]
    timezone: str


class ScheduleAnswer(TypedDict):
    enabled: bool
    schedule: NotRequired[ScheduleView]


@get(
    "/connected-sources/{source_id:str}/selective-syncs",
    operation_id="listSelectiveSyncsFromWarehouseAndSource",
    sync_to_thread=True,
    answer=ItemsAnswer,
)
def list_items(context: InContext, warehouse_id: Id, source_id: Id, paging: Pages) -> Json:
    """The collections that something was said of; all others are synced as the source is."""
    with context.reading() as session:
        warehouse, source = _pair(context, session, warehouse_id, source_id)
        ids = {"sourceId": source.id, "warehouseId": warehouse.id}
        items = edit.items(session, warehouse, source)
        start, cursors = position(paging, f"{warehouse.id}/{source.id}")
        return numbered_page(items, "items", paging.count, start, cursors, lambda item: ids | item)


@patch(
    "/selective-sync",
    operation_id="updateSelectiveSyncForWarehouse",
    sync_to_thread=True,
    body=UpdateSelection,
    answer=UpdatedAnswer,
)
def update_selection(context: InContext, warehouse_id: Id, body: RawBody) -> Json:
    """All of the overrides or, if one is wrong, none."""
    data = from_json(UpdateSelection, body)
    with context.changing() as editor:
        warehouse = get_warehouse(editor.session, context.workspace_id, warehouse_id)
        status, warnings = edit.select(editor, warehouse, data.sync_overrides)
        return answer(status=status, warnings=warnings)


@get("/syncs", operation_id="listSyncsFromWarehouse", sync_to_thread=True, answer=ReportsAnswer)
def list_syncs(context: InContext, warehouse_id: Id, paging: Pages) -> Json:
    """Empty: nothing is synced yet."""
    with context.reading() as session:
        get_warehouse(session, context.workspace_id, warehouse_id)
    return _no_syncs(paging, warehouse_id)


@get(
    "/connected-sources/{source_id:str}/syncs",
    operation_id="listSyncsFromWarehouseAndSource",
    sync_to_thread=True,
    answer=ReportsAnswer,
)
def list_syncs_of_source(context: InContext, warehouse_id: Id, source_id: Id, paging: Pages) -> Json:
    """Empty: nothing is synced yet."""
    with context.reading() as session:
        _pair(context, session, warehouse_id, source_id)
    return _no_syncs(paging, f"{warehouse_id}/{source_id}")


@get(
    "/advanced-sync-schedule",
    operation_id="getAdvancedSyncScheduleFromWarehouse",
    sync_to_thread=True,
    answer=ScheduleAnswer,
)
def get_schedule(context: InContext, warehouse_id: Id) -> Json:
    with context.reading() as session:
        return _schedule(get_warehouse(session, context.workspace_id, warehouse_id))


@put(
    "/advanced-sync-schedule",
    operation_id="replaceAdvancedSyncScheduleForWarehouse",
    sync_to_thread=True,
    body=ReplaceSchedule,
    answer=ScheduleAnswer,
)
def replace_schedule(context: InContext, warehouse_id: Id, body: RawBody) -> Json:
    """It is kept; nothing is synced yet."""
    data = from_json(ReplaceSchedule, body)
    with context.changing() as editor:
        warehouse = get_warehouse(editor.session, context.workspace_id, warehouse_id)
        edit.set_schedule(editor, warehouse, data.enabled, data.schedule)
        return _schedule(warehouse)


def _pair(context: Context, session: Session, warehouse_id: str, source_id: str) -> tuple[Warehouse, Source]:
    """Raises `NotFound` also if the source is not connected."""
    warehouse = get_warehouse(session, context.workspace_id, warehouse_id)
    source = get_source(session, context.workspace_id, source_id)
    if not is_connected(session, warehouse, source):
        raise NotFound(f"the source {source.slug} is not connected to this warehouse")
    return warehouse, source


def _no_syncs(paging: Pages, of: str) -> Json:
    start, cursors = position(paging, f"syncs of {of}")
    nothing: list[Json] = []
    return numbered_page(nothing, "reports", paging.count, start, cursors, lambda report: report)


def _schedule(warehouse: Warehouse) -> Json:
    return answer(**({"enabled": False} | warehouse.schedule))


router = Router(
    "/warehouses/{warehouse_id:str}",
    route_handlers=[
        list_items,
        update_selection,
        list_syncs,
        list_syncs_of_source,
        get_schedule,
        replace_schedule,
    ],
)
