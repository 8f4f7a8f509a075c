"""Functions and their versions (spec §10.10)."""

from typing import Annotated, Any, Literal, NotRequired, TypedDict, cast

import msgspec
from litestar import Router, delete, get, patch, post
from litestar.params import RawBody
from msgspec import UNSET, UnsetType
from sqlalchemy import select
from sqlalchemy.orm import Session

from onward.api.address import public_address
from onward.api.answers import SUCCESS, Done, Json, Pagination, paged, timestamp
from onward.api.answers import data as answer
from onward.api.bodies import Body
from onward.api.context import ApiRequest, Context, Id, InContext, Pages
from onward.api.query import read_query
from onward.workspace import functions as edit
from onward.workspace.entities import Function, Workspace
from onward.workspace.function_catalogue import FunctionSetting, settings_of, shown_name
from onward.workspace.function_code import Language
from onward.workspace.function_instances import instances_of
from onward.workspace.pages import page
from onward.workspace.roles import Permission
from onward.workspace.shapes import from_json

Kind = Literal["SOURCE", "DESTINATION", "INSERT_DESTINATION", "INSERT_SOURCE"]
PREVIEW_WEBHOOK = "/v1/functions/preview/"
"""On the port of the Tracking API, which is this one (`onward.tracking.source_functions`)."""
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=edit.MAX_NAME + 260)]
"""Longer than a name may be by what is appended to it, which may be sent back."""
Hours = Annotated[float, msgspec.Meta(ge=0, lt=edit.MAX_HOURS)]
BatchCount = Annotated[int, msgspec.Meta(ge=1, le=edit.MAX_BATCH)]


class CreateFunction(Body):
    code: str
    """JavaScript, or TypeScript, whose types are removed and not checked. It is loaded once in the sandbox;
    what can't be is refused with the line."""
    display_name: Name
    resource_type: Kind
    settings: list[FunctionSetting] = msgspec.field(default_factory=list)
    description: str | None = None
    logo_url: str | None = None
    batch_max_count: BatchCount = edit.DEFAULT_BATCH
    """Ours: events that the batch handler is given at most."""
    language: Language | None = None
    """Ours: found out unless given."""
    monthly_hours: Hours | None = None
    """Ours: wall time that it may use in a month; then it is locked out."""


class UpdateFunction(Body):
    code: str | UnsetType = UNSET
    display_name: Name | UnsetType = UNSET
    settings: list[FunctionSetting] | UnsetType = UNSET
    """All of them: others are gone."""
    description: str | UnsetType | None = UNSET
    logo_url: str | UnsetType | None = UNSET
    batch_max_count: BatchCount | UnsetType = UNSET
    """Ours."""
    language: Language | UnsetType | None = UNSET
    """Ours."""
    monthly_hours: Hours | UnsetType | None = UNSET
    """Ours."""


class FunctionsQuery(msgspec.Struct, rename="camel"):
    resource_type: Kind | None = None
    """All kinds, ours, unless given."""


class FunctionItem(TypedDict):
    id: str
    resourceType: Kind
    createdAt: str
    createdBy: str
    """Id of the user or token."""
    displayName: str
    """With the workspace's name, but for source functions."""
    description: NotRequired[str]
    logoUrl: NotRequired[str]
    catalogId: str
    """Its metadataId, for destinations of it."""


class FunctionView(FunctionItem):
    code: str
    """Of the latest version, as are the settings."""
    settings: list[FunctionSetting]
    deployedAt: str | None
    deployedVersionId: str | None
    """Ours: the version that was deployed last, which what is connected runs."""
    batchMaxCount: int
    monthlyHours: float | None
    """Ours."""
    isLatestVersion: bool
    """Whether the latest version is the deployed one."""
    instancesBehind: int
    """Ours: how many instances run a version older than the deployed one."""
    language: Language
    """Ours."""
    previewWebhookUrl: NotRequired[str]
    """Of a source function: requests that are sent here call nothing, and can be tested with."""
    handlers: list[str] | None
    """Ours: those that the latest version has, such as `onTrack`; null if nothing here could look."""


class FunctionAnswer(TypedDict):
    function: FunctionView


class FunctionsAnswer(TypedDict):
    functions: list[FunctionItem]
    pagination: Pagination


@get("/", operation_id="listFunctions", sync_to_thread=True, query=FunctionsQuery, answer=FunctionsAnswer)
def list_functions(context: InContext, request: ApiRequest, paging: Pages) -> Json:
    kind = read_query(request, FunctionsQuery).resource_type
    with context.reading() as session:
        query = select(Function).where(Function.workspace_id == context.workspace_id)
        if kind is not None:
            query = query.where(Function.kind == kind)
        query = context.narrowed(query, Function.id, Permission.FUNCTION_READ)
        found = page(session, query, Function, paging.count, paging.cursor)
        workspace = session.get_one(Workspace, context.workspace_id)
        return paged("functions", found, lambda each: _item(workspace, each))


@post(
    "/",
    operation_id="createFunction",
    sync_to_thread=True,
    status_code=200,
    body=CreateFunction,
    answer=FunctionAnswer,
)
def create_function(context: InContext, request: ApiRequest, body: RawBody) -> Json:
    """Its first version is saved, and not deployed: connecting it, or deploying it, does that."""
    context.access.require_everywhere(Permission.FUNCTION_WRITE)
    data = from_json(CreateFunction, body)
    edit.checked_code(context.store.check_code, data.code, data.language)  # found again in the change
    with context.changing() as editor:
        function = edit.create_function(
            editor,
            kind=data.resource_type,
            name=data.display_name,
            code=data.code,
            language=data.language,
            settings=data.settings,
            description=data.description or "",
            logo_url=data.logo_url or "",
            batch_max_count=data.batch_max_count,
            monthly_hours=data.monthly_hours,
        )
        return answer(function=_view(request, editor.session, function))


@get("/{function_id:str}", operation_id="getFunction", sync_to_thread=True, answer=FunctionAnswer)
def get_function(context: InContext, request: ApiRequest, function_id: Id) -> Json:
    with context.reading() as session:
        return answer(
            function=_view(request, session, edit.get_function(session, context.workspace_id, function_id))
        )


@patch(
    "/{function_id:str}",
    operation_id="updateFunction",
    sync_to_thread=True,
    body=UpdateFunction,
    answer=FunctionAnswer,
)
def update_function(context: InContext, request: ApiRequest, function_id: Id, body: RawBody) -> Json:
    """Other code or settings are saved as a new version, which is deployed only when one says so."""
    data = from_json(UpdateFunction, body)
    if data.code is not UNSET:
        edit.checked_code(context.store.check_code, data.code, data.language or None)
    with context.changing() as editor:
        function = edit.get_function(editor.session, context.workspace_id, function_id)
        edit.update_function(
            editor,
            function,
            name=data.display_name,
            code=data.code,
            language=data.language,
            settings=data.settings,
            description="" if data.description is None else data.description,
            logo_url="" if data.logo_url is None else data.logo_url,
            batch_max_count=data.batch_max_count,
            monthly_hours=data.monthly_hours,
        )
        return answer(function=_view(request, editor.session, function))


@delete(
    "/{function_id:str}", operation_id="deleteFunction", sync_to_thread=True, status_code=200, answer=Done
)
def delete_function(context: InContext, function_id: Id) -> Json:
    """With its versions. Refused while a destination is one of it, or it is inserted somewhere."""
    with context.changing() as editor:
        edit.delete_function(editor, edit.get_function(editor.session, context.workspace_id, function_id))
        return SUCCESS


def allow_connecting(context: Context, function: Function, source_id: str) -> None:
    """Raises `Forbidden` to who may not connect the function to the source."""
    context.access.require(Permission.FUNCTION_WRITE, function.id)
    context.access.require(Permission.DESTINATION_WRITE, source_id)


def _item(workspace: Workspace, function: Function) -> FunctionItem:
    kind: Any = function.kind
    item: FunctionItem = {
        "id": function.id,
        "resourceType": kind,
        "createdAt": timestamp(function.created_at),
        "createdBy": function.created_by,
        "displayName": shown_name(function, workspace),
        "catalogId": function.catalog_id,
    }
    if function.description:
        item["description"] = function.description
    if function.logo_url:
        item["logoUrl"] = function.logo_url
    return item


def _view(request: ApiRequest, session: Session, function: Function) -> FunctionView:
    latest = edit.latest_version(session, function)
    view: dict[str, Any] = {
        **_item(session.get_one(Workspace, function.workspace_id), function),
        "code": latest.code,
        "settings": settings_of(latest),
        "deployedAt": None if function.deployed_at is None else timestamp(function.deployed_at),
        "deployedVersionId": function.deployed_id,
        "batchMaxCount": function.batch_max_count,
        "monthlyHours": function.monthly_hours,
        "isLatestVersion": function.deployed_id == function.latest_id,
        "instancesBehind": sum(
            each.function_version_id != function.deployed_id for each in instances_of(session, function).all
        ),
        "language": msgspec.convert(latest.language, Language),
        "handlers": latest.handlers,
    }
    if function.kind == "SOURCE":
        view["previewWebhookUrl"] = f"{public_address(request)}{PREVIEW_WEBHOOK}{function.id}"
    return cast(FunctionView, view)


router = Router(
    "/functions",
    route_handlers=[
        list_functions,
        create_function,
        get_function,
        update_function,
        delete_function,
    ],
)
