"""Sources, their write keys, and the source debugger."""

from collections.abc import Iterable
from itertools import islice
from typing import Annotated, Any, Literal, TypedDict

import msgspec
from litestar import Router, delete, get, patch, post
from litestar.params import RawBody
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from onward.api.answers import (
    SUCCESS,
    DestinationView,
    Done,
    Json,
    Pagination,
    SourceView,
    destination_view,
    paged,
    source_view,
    timestamp,
)
from onward.api.answers import data as answer
from onward.api.bodies import CreateSource, UpdateSource
from onward.api.context import ApiRequest, Context, Id, InContext, Pages, Verdict
from onward.api.function_entries import entry_metadata, source_entry
from onward.api.query import read_query
from onward.pipeline import personal, triggers
from onward.workspace import sources as edit
from onward.workspace.entities import Destination, Source
from onward.workspace.errors import Invalid, naming
from onward.workspace.function_catalogue import find_source_function
from onward.workspace.pages import page
from onward.workspace.roles import Permission
from onward.workspace.shapes import from_json
from onward.workspace.tracking_plans import plan_of

RING = 500


class DebuggerQuery(msgspec.Struct):
    count: Annotated[int, msgspec.Meta(ge=1, le=RING)] = 100
    """How many events."""
    trigger: str = ""
    """Only events that meet this trigger, among the latest 500."""


class SourceAnswer(TypedDict):
    source: SourceView


class SourcesAnswer(TypedDict):
    sources: list[SourceView]
    pagination: Pagination


class SourceWithPlan(TypedDict):
    source: SourceView
    trackingPlanId: str | None


class ConnectedDestinations(TypedDict):
    destinations: list[DestinationView]
    pagination: Pagination


class DebuggerLine(TypedDict):
    receivedAt: str
    type: str
    messageId: str | None
    verdict: Literal["accepted", "discarded", "duplicate", "filtered"]
    code: str | None
    """Why it was discarded, or filtered by the source's schema or tracking plan."""
    payload: Any
    """The event as JSON, or as text where it is none."""


class DebuggerAnswer(TypedDict):
    events: list[DebuggerLine]


@get("/", operation_id="listSources", sync_to_thread=True, answer=SourcesAnswer)
def list_sources(context: InContext, paging: Pages) -> Json:
    with context.reading() as session:
        query = (
            select(Source)
            .where(Source.workspace_id == context.workspace_id)
            .options(selectinload(Source.write_keys))
        )
        query = context.narrowed(query, Source.id, Permission.SOURCE_READ)
        found = page(session, query, Source, paging.count, paging.cursor)
        return paged("sources", found, lambda source: _view(context, source))


@post(
    "/",
    operation_id="createSource",
    sync_to_thread=True,
    status_code=201,
    body=CreateSource,
    answer=SourceAnswer,
)
def create_source(context: InContext, body: RawBody) -> Json:
    """A source function as a source takes Function Admin for it as well."""
    context.access.require_everywhere(Permission.SOURCE_WRITE)
    data = from_json(CreateSource, body)
    with context.changing() as editor, naming(kind="metadataId"):
        function = find_source_function(editor.session, context.workspace_id, data.metadata_id)
        if function is not None:
            context.access.require(Permission.FUNCTION_WRITE, function.id)
        source = edit.create_source(
            editor,
            slug=data.slug,
            kind=data.metadata_id,
            name=data.name,
            enabled=data.enabled,
            settings=data.settings,
            rate_limit=data.rate_limit,
        )
        return _answer(context, source)


@get("/{source_id:str}", operation_id="getSource", sync_to_thread=True, answer=SourceWithPlan)
def get_source(context: InContext, source_id: Id) -> Json:
    with context.reading() as session:
        source = edit.get_source(session, context.workspace_id, source_id)
        return answer(source=_view(context, source), trackingPlanId=plan_of(session, source))


@patch(
    "/{source_id:str}",
    operation_id="updateSource",
    sync_to_thread=True,
    body=UpdateSource,
    answer=SourceAnswer,
)
def update_source(context: InContext, source_id: Id, body: RawBody) -> Json:
    data = from_json(UpdateSource, body)
    with context.changing() as editor:
        source = edit.get_source(editor.session, context.workspace_id, source_id)
        edit.update_source(
            editor,
            source,
            slug=data.slug,
            name=data.name,
            enabled=data.enabled,
            settings=data.settings,
            rate_limit=data.rate_limit,
        )
        return _answer(context, source)


@delete("/{source_id:str}", operation_id="deleteSource", sync_to_thread=True, status_code=200, answer=Done)
def delete_source(context: InContext, source_id: Id) -> Json:
    """With its write keys, and the destinations connected to it."""
    with context.changing() as editor:
        edit.delete_source(editor, edit.get_source(editor.session, context.workspace_id, source_id))
        return SUCCESS


@post(
    "/{source_id:str}/writekey",
    operation_id="createWriteKeyForSource",
    sync_to_thread=True,
    status_code=200,
    answer=SourceAnswer,
)
def create_write_key(context: InContext, source_id: Id) -> Json:
    """A new write key beside the others."""
    with context.changing() as editor:
        source = edit.get_source(editor.session, context.workspace_id, source_id)
        edit.add_write_key(editor, source)
        return _answer(context, source)


@delete(
    "/{source_id:str}/writekey/{write_key:str}",
    operation_id="removeWriteKeyFromSource",
    sync_to_thread=True,
    status_code=200,
    answer=Done,
)
def remove_write_key(context: InContext, source_id: Id, write_key: Id) -> Json:
    with context.changing() as editor:
        source = edit.get_source(editor.session, context.workspace_id, source_id)
        edit.remove_write_key(editor, source, write_key)
        return SUCCESS


@get(
    "/{source_id:str}/connected-destinations",
    operation_id="listConnectedDestinationsFromSource",
    sync_to_thread=True,
    answer=ConnectedDestinations,
)
def list_connected_destinations(context: InContext, source_id: Id, paging: Pages) -> Json:
    with context.reading() as session:
        source = edit.get_source(session, context.workspace_id, source_id)
        query = select(Destination).where(Destination.source_id == source.id)
        found = page(session, query, Destination, paging.count, paging.cursor)
        return paged(
            "destinations",
            found,
            lambda each: destination_view(each, entry_metadata(context, each)),
        )


@get(
    "/{source_id:str}/debugger",
    operation_id="listSourceDebuggerEvents",
    sync_to_thread=True,
    query=DebuggerQuery,
    answer=DebuggerAnswer,
)
def list_debugger_events(context: InContext, request: ApiRequest, source_id: Id) -> Json:
    """Ours: the latest events of a source with the door's verdict, newest first.

    Personal data is masked for those who have not the permission to see it, and triggers see it masked too.
    """
    asked = read_query(request, DebuggerQuery)
    with context.reading() as session:
        edit.get_source(session, context.workspace_id, source_id)
    unmasked = context.access.to(Permission.PII_READ, source_id)
    lines = context.recent(source_id, RING if asked.trigger else asked.count)
    events: Iterable[DebuggerLine] = (debugger_line(line, unmasked) for line in lines)
    if asked.trigger:
        try:
            triggers.check(asked.trigger)
        except triggers.TriggerError as error:
            raise Invalid(str(error), field="trigger") from None
        events = (each for each in events if _meets(each, asked.trigger))
    return answer(events=list(islice(events, asked.count)))


def _meets(line: DebuggerLine, trigger: str) -> bool:
    """As destinations see it: what the path said of the type is in the event."""
    event = line["payload"]
    return isinstance(event, dict) and triggers.matches(trigger, {"type": line["type"], **event})


def debugger_line(line: Verdict, unmasked: bool) -> DebuggerLine:
    return {
        "receivedAt": timestamp(line.received_at),
        "type": line.type,
        "messageId": line.message_id,
        "verdict": line.verdict,  # type: ignore[typeddict-item]  # the door has these four
        "code": line.code or None,
        "payload": _payload(line.payload, unmasked),
    }


def _payload(raw: bytes, unmasked: bool) -> Any:
    """The event as JSON, or as text where it is none; in such a text nobody can tell what is personal."""
    try:
        event = msgspec.json.decode(raw)
        return event if unmasked else personal.masked(event)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return raw.decode(errors="replace") if unmasked else personal.MASK


def _view(context: Context, source: Source) -> SourceView:
    return source_view(source, source_entry(context, source))


def _answer(context: Context, source: Source) -> Json:
    return answer(source=_view(context, source))


router = Router(
    "/sources",
    route_handlers=[
        list_sources,
        create_source,
        get_source,
        update_source,
        delete_source,
        create_write_key,
        remove_write_key,
        list_connected_destinations,
        list_debugger_events,
    ],
)
