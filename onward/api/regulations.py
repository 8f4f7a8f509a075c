"""Deletion and suppression of people (spec §16.1): regulations, and who is suppressed."""

from collections import defaultdict
from typing import Literal, NotRequired, TypedDict

import msgspec
from litestar import delete, get, post
from litestar.params import RawBody
from sqlalchemy import Select, select

from onward.api.answers import SUCCESS, Done, Json, Pagination, paged, pagination, timestamp
from onward.api.answers import data as answer
from onward.api.bodies import Body
from onward.api.context import ApiRequest, Context, Id, InContext, Pages
from onward.api.query import read_query
from onward.workspace import regulations as edit
from onward.workspace.entities import Regulation, RegulationTarget
from onward.workspace.errors import Invalid
from onward.workspace.pages import make_cursor, page, parse_cursor
from onward.workspace.roles import Permission
from onward.workspace.shapes import from_json
from onward.workspace.sources import get_source

Status = Literal[
    "FAILED", "FINISHED", "INITIALIZED", "INVALID", "NOT_SUPPORTED", "PARTIAL_SUCCESS", "RUNNING"
]
Kind = Literal[
    "DELETE_INTERNAL",
    "DELETE_ONLY",
    "SUPPRESS_ONLY",
    "SUPPRESS_WITH_DELETE",
    "SUPPRESS_WITH_DELETE_INTERNAL",
    "UNSUPPRESS",
]
SUPPRESSIONS = "suppressions"


class CreateRegulation(Body):
    regulation_type: Kind
    subject_type: Literal["OBJECT_ID", "USER_ID"]
    """Only `USER_ID` is possible: Onward keeps no objects of cloud sources."""
    subject_ids: list[str]
    """1 to 5,000."""


class CreateCloudSourceRegulation(CreateRegulation):
    collection: str


class RegulationQuery(msgspec.Struct, rename="camel"):
    status: Status | None = None
    regulation_types: list[Kind] = msgspec.field(default_factory=list)


class Created(TypedDict):
    regulateId: str


class DestinationStatus(TypedDict):
    id: str
    name: str
    status: Status
    errString: str
    """Why someone could not be deleted: the latest reason."""
    finishedAt: str | None


class StreamStatus(TypedDict):
    id: str
    """Of the source."""
    destinationStatus: list[DestinationStatus]


class RegulationView(TypedDict):
    id: str
    workspaceId: str
    overallStatus: Status
    """FAILED also if a destination has no way to delete people; `streamStatus` tells which."""
    createdAt: str
    finishedAt: str | None
    streamStatus: list[StreamStatus]


class RegulationAnswer(TypedDict):
    regulation: RegulationView


class ListedRegulation(TypedDict):
    id: str
    subjectType: Literal["USER_ID"]
    subjects: list[str]
    status: Status
    createdAt: str
    regulationType: Kind
    finishedAt: NotRequired[str]


class RegulationsAnswer(TypedDict):
    regulations: list[ListedRegulation]
    pagination: Pagination


class RegulationsOfSource(TypedDict):
    regulations: list[ListedRegulation]
    pagination: Pagination
    """Ours; Segment's models leave it out here."""


class SuppressedPeople(TypedDict):
    subjectType: Literal["USER_ID"]
    subjectIds: list[str]


class SuppressionsAnswer(TypedDict):
    suppressed: list[SuppressedPeople]
    pagination: Pagination


@post(
    "/regulations",
    operation_id="createWorkspaceRegulation",
    sync_to_thread=True,
    status_code=200,
    body=CreateRegulation,
    answer=Created,
)
def create_regulation(context: InContext, body: RawBody) -> Json:
    """About people in all sources of the workspace.

    Suppression is in force within two seconds. A deletion begins after five, until which it can be deleted
    itself.
    """
    return _create(context, from_json(CreateRegulation, body), None)


@post(
    "/regulations/sources/{source_id:str}",
    operation_id="createSourceRegulation",
    sync_to_thread=True,
    status_code=200,
    body=CreateRegulation,
    answer=Created,
)
def create_source_regulation(context: InContext, source_id: Id, body: RawBody) -> Json:
    """About people in one source. What holds for the whole workspace can't be taken back here."""
    return _create(context, from_json(CreateRegulation, body), source_id)


@post(
    "/regulations/cloudsources/{source_id:str}",
    operation_id="createCloudSourceRegulation",
    sync_to_thread=True,
    status_code=200,
    body=CreateCloudSourceRegulation,
    answer=Created,
)
def create_cloud_source_regulation(context: InContext, source_id: Id, body: RawBody) -> Json:
    """About objects of a cloud source, of which Onward has none: always refused."""
    from_json(CreateCloudSourceRegulation, body)
    with context.reading() as session:
        source = get_source(session, context.workspace_id, source_id)
    raise Invalid(f"{source.slug} is no cloud source: there are no objects to regulate", field="collection")


@get(
    "/regulations",
    operation_id="listWorkspaceRegulations",
    sync_to_thread=True,
    query=RegulationQuery,
    answer=RegulationsAnswer,
)
def list_regulations(context: InContext, request: ApiRequest, paging: Pages) -> Json:
    """Those about the whole workspace, the oldest first."""
    context.access.require_everywhere(Permission.PRIVACY_READ)
    with context.reading() as session:
        query = _matching(context, read_query(request, RegulationQuery), "")
        return paged("regulations", page(session, query, Regulation, paging.count, paging.cursor), _listed)


@get(
    "/regulations/sources/{source_id:str}",
    operation_id="listRegulationsFromSource",
    sync_to_thread=True,
    query=RegulationQuery,
    answer=RegulationsOfSource,
)
def list_source_regulations(context: InContext, request: ApiRequest, source_id: Id, paging: Pages) -> Json:
    """Those about the source alone, the oldest first."""
    with context.reading() as session:
        get_source(session, context.workspace_id, source_id)
        query = _matching(context, read_query(request, RegulationQuery), source_id)
        return paged("regulations", page(session, query, Regulation, paging.count, paging.cursor), _listed)


@get(
    "/regulations/{regulate_id:str}",
    operation_id="getRegulation",
    sync_to_thread=True,
    answer=RegulationAnswer,
)
def get_regulation(context: InContext, regulate_id: Id) -> Json:
    """How far it is, at each destination."""
    with context.reading() as session:
        regulation = edit.find_regulation(session, context.workspace_id, regulate_id)
        _require(context, Permission.PRIVACY_READ, regulation)
        return answer(regulation=_view(regulation, list(edit.targets_of(session, regulation))))


@delete(
    "/regulations/{regulate_id:str}",
    operation_id="deleteRegulation",
    sync_to_thread=True,
    status_code=200,
    answer=Done,
)
def delete_regulation(context: InContext, regulate_id: Id) -> Json:
    """While it is INITIALIZED. Whom it suppressed are suppressed no more."""
    with context.changing() as editor:
        edit.delete_regulation(
            editor, edit.find_regulation(editor.session, context.workspace_id, regulate_id)
        )
        return SUCCESS


@get("/suppressions", operation_id="listSuppressions", sync_to_thread=True, answer=SuppressionsAnswer)
def list_suppressions(context: InContext, paging: Pages) -> Json:
    """Everybody who is suppressed now, in the whole workspace or in a source, by user id.

    A page holds so many ids as `pagination[count]` says.
    """
    context.access.require_everywhere(Permission.PRIVACY_READ)
    start = _start(paging.cursor)
    with context.reading() as session:
        ids, following, total = edit.suppressed_page(session, context.workspace_id, start, paging.count)
        before = edit.page_before(session, context.workspace_id, start, paging.count) if start else None
    return answer(
        suppressed=[{"subjectType": edit.USER_ID, "subjectIds": ids}] if ids else [],
        pagination=pagination(
            _cursor(start),
            None if following is None else _cursor(following),
            None if before is None else _cursor(before),
            total,
        ),
    )


def _create(context: Context, data: CreateRegulation, source_id: str | None) -> Json:
    with context.changing() as editor:
        source = None if source_id is None else get_source(editor.session, context.workspace_id, source_id)
        made = edit.create_regulation(
            editor, data.regulation_type, data.subject_type, data.subject_ids, source
        )
        return answer(regulateId=made.id)


def _require(context: Context, permission: Permission, regulation: Regulation) -> None:
    """Raises `Forbidden`."""
    if regulation.source_id:
        context.access.require(permission, regulation.source_id)
    else:
        context.access.require_everywhere(permission)


def _matching(context: Context, query: RegulationQuery, source_id: str) -> Select[Regulation]:
    found = select(Regulation).where(
        Regulation.workspace_id == context.workspace_id, Regulation.source_id == source_id
    )
    if query.status is not None:
        found = found.where(Regulation.status == query.status)
    return found.where(Regulation.kind.in_(query.regulation_types)) if query.regulation_types else found


def _listed(regulation: Regulation) -> Json:
    view = {
        "id": regulation.id,
        "subjectType": edit.USER_ID,
        "subjects": regulation.subjects,
        "status": regulation.status,
        "createdAt": timestamp(regulation.created_at),
        "regulationType": regulation.kind,
    }
    finished_at = regulation.finished_at
    return view if finished_at is None else view | {"finishedAt": timestamp(finished_at)}


def _view(regulation: Regulation, targets: list[RegulationTarget]) -> Json:
    streams: dict[str, list[Json]] = defaultdict(list)
    for target in targets:
        streams[target.source_id].append(
            {
                "id": target.destination_id,
                "name": target.name,
                "status": target.status,
                "errString": target.error,
                "finishedAt": _time(target.finished_at),
            }
        )
    return {
        "id": regulation.id,
        "workspaceId": regulation.workspace_id,
        "overallStatus": regulation.status,
        "createdAt": timestamp(regulation.created_at),
        "finishedAt": _time(regulation.finished_at),
        "streamStatus": [{"id": id, "destinationStatus": found} for id, found in streams.items()],
    }


def _time(at: int | None) -> str | None:
    return None if at is None else timestamp(at)


def _cursor(start: str) -> str:
    return make_cursor((0, f"{SUPPRESSIONS} {start}"))


def _start(cursor: str | None) -> str:
    """The user id that a page begins with; raises `Invalid`."""
    if cursor is None:
        return ""
    of, _, start = parse_cursor(cursor)[1].partition(" ")
    if of != SUPPRESSIONS:
        raise Invalid("this cursor is of another list", field="pagination.cursor")
    return start


ROUTES = [
    create_regulation,
    create_source_regulation,
    create_cloud_source_regulation,
    list_regulations,
    list_source_regulations,
    get_regulation,
    delete_regulation,
    list_suppressions,
]
