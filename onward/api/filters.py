"""Destination filters and their preview (spec §6.3). The path says `destination`, in the singular."""

from random import SystemRandom
from typing import Any, TypedDict

from litestar import Router, delete, get, patch, post
from litestar.params import RawBody
from sqlalchemy import select

from onward.api.answers import SUCCESS, Done, FilterView, Json, Pagination, filter_view, paged
from onward.api.answers import data as answer
from onward.api.bodies import CreateFilter, PreviewFilter, UpdateFilter
from onward.api.context import Id, InContext, Pages
from onward.pipeline.filter_validation import preview
from onward.workspace import filters as edit
from onward.workspace.checks import check_filter
from onward.workspace.destinations import get_destination
from onward.workspace.entities import Filter
from onward.workspace.errors import Invalid, at, naming
from onward.workspace.pages import page
from onward.workspace.shapes import from_json


class FilterAnswer(TypedDict):
    filter: FilterView


class FiltersAnswer(TypedDict):
    filters: list[FilterView]
    pagination: Pagination


class FilterPreview(TypedDict):
    inputPayload: dict[str, Any]
    result: dict[str, Any] | None
    """What is left of it; null if it is dropped."""


@get(
    "/{destination_id:str}/filters",
    operation_id="listFiltersFromDestination",
    sync_to_thread=True,
    answer=FiltersAnswer,
)
def list_filters(context: InContext, destination_id: Id, paging: Pages) -> Json:
    with context.reading() as session:
        destination = get_destination(session, context.workspace_id, destination_id)
        query = select(Filter).where(Filter.destination_id == destination.id)
        return paged("filters", page(session, query, Filter, paging.count, paging.cursor), filter_view)


@post(
    "/{destination_id:str}/filters",
    operation_id="createFilterForDestination",
    sync_to_thread=True,
    status_code=200,
    body=CreateFilter,
    answer=FilterAnswer,
)
def create_filter(context: InContext, destination_id: Id, body: RawBody) -> Json:
    data = from_json(CreateFilter, body)
    with context.changing() as editor, naming(condition="if"):
        destination = get_destination(editor.session, context.workspace_id, destination_id)
        if data.source_id != destination.source_id:
            raise Invalid(
                f"the destination {destination.name} is connected to the source {destination.source_id}",
                field="sourceId",
            )
        created = edit.create_filter(
            editor,
            destination,
            title=data.title,
            condition=data.condition,
            actions=data.actions,
            description=data.description,
            enabled=data.enabled,
        )
        return answer(filter=filter_view(created))


@get(
    "/{destination_id:str}/filters/{filter_id:str}",
    operation_id="getFilterInDestination",
    sync_to_thread=True,
    answer=FilterAnswer,
)
def get_filter(context: InContext, destination_id: Id, filter_id: Id) -> Json:
    with context.reading() as session:
        destination = get_destination(session, context.workspace_id, destination_id)
        return answer(filter=filter_view(edit.get_filter(session, destination, filter_id)))


@patch(
    "/{destination_id:str}/filters/{filter_id:str}",
    operation_id="updateFilterForDestination",
    sync_to_thread=True,
    body=UpdateFilter,
    answer=FilterAnswer,
)
def update_filter(context: InContext, destination_id: Id, filter_id: Id, body: RawBody) -> Json:
    data = from_json(UpdateFilter, body)
    with context.changing() as editor, naming(condition="if"):
        destination = get_destination(editor.session, context.workspace_id, destination_id)
        found = edit.get_filter(editor.session, destination, filter_id)
        edit.update_filter(
            editor,
            found,
            title=data.title,
            condition=data.condition,
            actions=data.actions,
            description=data.description,
            enabled=data.enabled,
        )
        return answer(filter=filter_view(found))


@delete(
    "/{destination_id:str}/filters/{filter_id:str}",
    operation_id="removeFilterFromDestination",
    sync_to_thread=True,
    status_code=200,
    answer=Done,
)
def delete_filter(context: InContext, destination_id: Id, filter_id: Id) -> Json:
    with context.changing() as editor:
        destination = get_destination(editor.session, context.workspace_id, destination_id)
        edit.delete_filter(editor, edit.get_filter(editor.session, destination, filter_id))
        return SUCCESS


@post(
    "/filters/preview",
    operation_id="previewDestinationFilter",
    sync_to_thread=True,
    status_code=200,
    body=PreviewFilter,
    answer=FilterPreview,
)
def preview_filter(body: RawBody) -> Json:
    """What a filter would leave of a payload; null if it drops it."""
    data = from_json(PreviewFilter, body)
    with at("filter"), naming(condition="if"):
        check_filter(data.filter.condition, data.filter.actions)
    result = preview(data.filter.condition, data.filter.actions, data.payload, SystemRandom())
    return answer(inputPayload=data.payload, result=result)


router = Router(
    "/destination",
    route_handlers=[list_filters, create_filter, get_filter, update_filter, delete_filter, preview_filter],
)
