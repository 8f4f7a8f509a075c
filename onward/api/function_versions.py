"""Versions of functions: list, show, compare, restore (spec §10.10)."""

from typing import TypedDict

import msgspec
from litestar import Router, get, post
from litestar.params import RawBody
from sqlalchemy import select

from onward.api.answers import Json, Pagination, pagination, position, timestamp
from onward.api.answers import data as answer
from onward.api.bodies import Body
from onward.api.context import ApiRequest, Id, InContext, Pages
from onward.api.query import read_query
from onward.workspace import functions as edit
from onward.workspace.entities import Function, FunctionVersion
from onward.workspace.function_catalogue import FunctionSetting, settings_of
from onward.workspace.function_code import Language
from onward.workspace.function_diff import VersionDiff, compare
from onward.workspace.shapes import from_json


class RestoreVersion(Body):
    version_id: str


class DiffQuery(msgspec.Struct, rename="camel"):
    from_: str | None = msgspec.field(name="from", default=None)
    """Id of the version to compare with; the one saved before unless given."""


class VersionView(TypedDict):
    id: str
    author: str
    code: str
    isDeployed: bool
    createdAt: str
    updatedAt: str
    deployedAt: str | None
    number: int
    """Ours: 1, 2, 3, …"""
    isLatest: bool
    """Ours."""
    settings: list[FunctionSetting]
    """Ours."""
    language: Language
    """Ours."""
    handlers: list[str] | None
    """Ours."""


class VersionAnswer(TypedDict):
    version: VersionView


class VersionsAnswer(TypedDict):
    versions: list[VersionView]
    pagination: Pagination


class DiffAnswer(TypedDict):
    diff: VersionDiff


@get(
    "/{function_id:str}/versions",
    operation_id="listFunctionVersions",
    sync_to_thread=True,
    answer=VersionsAnswer,
)
def list_versions(context: InContext, function_id: Id, paging: Pages) -> Json:
    """The newest first."""
    with context.reading() as session:
        function = edit.get_function(session, context.workspace_id, function_id)
        latest = edit.latest_version(session, function).number
        # Numbers have no gaps, so they are positions that new versions don't shift.
        given, cursors = position(paging, function.id)
        start = min(given or latest, latest)
        query = select(FunctionVersion).where(
            FunctionVersion.function_id == function.id,
            FunctionVersion.number <= start,
            FunctionVersion.number > start - paging.count,
        )
        found = session.scalars(query.order_by(FunctionVersion.number.desc())).all()
        return answer(
            versions=[_version(function, each) for each in found],
            pagination=pagination(
                cursors(start),
                cursors(start - paging.count) if start > paging.count else None,
                cursors(min(latest, start + paging.count)) if start < latest else None,
                latest,
            ),
        )


@get(
    "/{function_id:str}/versions/{version_id:str}",
    operation_id="getFunctionVersion",
    sync_to_thread=True,
    answer=VersionAnswer,
)
def get_version(context: InContext, function_id: Id, version_id: Id) -> Json:
    with context.reading() as session:
        function = edit.get_function(session, context.workspace_id, function_id)
        return answer(version=_version(function, edit.get_version(session, function, version_id)))


@get(
    "/{function_id:str}/versions/{version_id:str}/diff",
    operation_id="getFunctionVersionDiff",
    sync_to_thread=True,
    query=DiffQuery,
    answer=DiffAnswer,
)
def get_diff(context: InContext, request: ApiRequest, function_id: Id, version_id: Id) -> Json:
    """What a version changed: its code as `diff -u` tells it, and its settings."""
    other = read_query(request, DiffQuery).from_
    with context.reading() as session:
        function = edit.get_function(session, context.workspace_id, function_id)
        version = edit.get_version(session, function, version_id)
        before = (
            edit.version_before(session, function, version)
            if other is None
            else edit.get_version(session, function, other)
        )
        return answer(diff=msgspec.to_builtins(compare(before, version)))


@post(
    "/{function_id:str}/versions",
    operation_id="restoreFunctionVersion",
    sync_to_thread=True,
    status_code=200,
    body=RestoreVersion,
    answer=VersionAnswer,
)
def restore_version(context: InContext, function_id: Id, body: RawBody) -> Json:
    """A copy of an old version, code and settings, as the new latest one."""
    data = from_json(RestoreVersion, body)
    with context.changing() as editor:
        function = edit.get_function(editor.session, context.workspace_id, function_id)
        version = edit.get_version(editor.session, function, data.version_id)
        return answer(version=_version(function, edit.restore_version(editor, function, version)))


def _version(function: Function, version: FunctionVersion) -> VersionView:
    return {
        "id": version.id,
        "author": version.author,
        "code": version.code,
        "isDeployed": version.id == function.deployed_id,
        "createdAt": timestamp(version.created_at),
        "updatedAt": timestamp(version.created_at),
        "deployedAt": None if version.deployed_at is None else timestamp(version.deployed_at),
        "number": version.number,
        "isLatest": version.id == function.latest_id,
        "settings": settings_of(version),
        "language": msgspec.convert(version.language, Language),
        "handlers": version.handlers,
    }


router = Router("/functions", route_handlers=[list_versions, get_version, get_diff, restore_version])
