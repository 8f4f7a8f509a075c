"""Insert function instances: which insert function works on what (spec §10.8)."""

from typing import Any, TypedDict

import msgspec
from litestar import Router, delete, get, patch, post
from litestar.params import RawBody
from msgspec import UNSET, UnsetType
from sqlalchemy import select

from onward.api.answers import SUCCESS, Done, Json, Pagination, paged, timestamp
from onward.api.answers import data as answer
from onward.api.bodies import Body
from onward.api.context import ApiRequest, Context, Id, InContext, Pages
from onward.api.functions import allow_connecting
from onward.api.query import read_query
from onward.api.running import RunningVersion, running_version
from onward.workspace import insert_functions as edit
from onward.workspace.entities import Destination, Function, InsertInstance
from onward.workspace.errors import Invalid
from onward.workspace.function_instances import source_of
from onward.workspace.pages import page
from onward.workspace.roles import Permission
from onward.workspace.sealed import shown
from onward.workspace.secrets import MASK
from onward.workspace.shapes import from_json


class CreateInstance(Body):
    function_id: str
    integration_id: str
    """Id of the destination; of the source, for a function of the kind `INSERT_SOURCE`."""
    name: str
    settings: dict[str, Any]
    enabled: bool = False


class UpdateInstance(Body):
    settings: dict[str, Any] = msgspec.field(default_factory=dict)
    """Merged into what is there."""
    name: str | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class InstancesQuery(msgspec.Struct, rename="camel"):
    function_id: str | None = None
    """Those of all insert functions, ours, unless given."""


class InstanceView(TypedDict):
    id: str
    name: str
    integrationId: str
    classId: str
    """Id of the function."""
    enabled: bool
    createdAt: str
    updatedAt: str
    settings: dict[str, Any]
    """What is sensitive as masks, which may be sent back to keep it."""
    encryptedSettings: dict[str, Any]
    """What is sensitive, once more."""
    version: RunningVersion | None
    """Ours: the version of the function that it runs."""


class InstanceAnswer(TypedDict):
    insertFunctionInstance: InstanceView


class InstancesAnswer(TypedDict):
    instances: list[InstanceView]
    pagination: Pagination


@get(
    "/",
    operation_id="listInsertFunctionInstances",
    sync_to_thread=True,
    query=InstancesQuery,
    answer=InstancesAnswer,
)
def list_instances(context: InContext, request: ApiRequest, paging: Pages) -> Json:
    function_id = read_query(request, InstancesQuery).function_id
    with context.reading() as session:
        query = select(InsertInstance).join(Function).where(Function.workspace_id == context.workspace_id)
        if function_id is not None:
            query = query.where(Function.id == function_id)
        query = context.narrowed(query, Function.id, Permission.FUNCTION_READ)
        return paged(
            "instances", page(session, query, InsertInstance, paging.count, paging.cursor), instance_view
        )


@post(
    "/",
    operation_id="createInsertFunctionInstance",
    sync_to_thread=True,
    status_code=200,
    body=CreateInstance,
    answer=InstanceAnswer,
)
def create_instance(context: InContext, body: RawBody) -> Json:
    """Also takes Source Admin for the source. A function that was never deployed is by this."""
    data = from_json(CreateInstance, body)
    with context.changing() as editor:
        function = editor.session.get(Function, data.function_id)
        if function is None or function.workspace_id != context.workspace_id:
            raise Invalid(f"there is no function {data.function_id}", field="functionId")
        context.access.require(Permission.FUNCTION_WRITE, function.id)
        place = edit.find_place(editor.session, context.workspace_id, function, data.integration_id)
        source_id = place.source_id if isinstance(place, Destination) else place.id
        allow_connecting(context, function, source_id)
        instance = edit.create_instance(
            editor, function, place, name=data.name, enabled=data.enabled, settings=data.settings
        )
        return answer(insertFunctionInstance=instance_view(instance))


@get(
    "/{instance_id:str}", operation_id="getInsertFunctionInstance", sync_to_thread=True, answer=InstanceAnswer
)
def get_instance(context: InContext, instance_id: Id) -> Json:
    with context.reading() as session:
        instance = edit.get_instance(session, context.workspace_id, instance_id)
        return answer(insertFunctionInstance=instance_view(instance))


@patch(
    "/{instance_id:str}",
    operation_id="updateInsertFunctionInstance",
    sync_to_thread=True,
    body=UpdateInstance,
    answer=InstanceAnswer,
)
def update_instance(context: InContext, instance_id: Id, body: RawBody) -> Json:
    """Also takes Source Admin for the source."""
    data = from_json(UpdateInstance, body)
    with context.changing() as editor:
        instance = edit.get_instance(editor.session, context.workspace_id, instance_id)
        _require_source(context, instance)
        edit.update_instance(editor, instance, name=data.name, enabled=data.enabled, settings=data.settings)
        return answer(insertFunctionInstance=instance_view(instance))


@delete(
    "/{instance_id:str}",
    operation_id="deleteInsertFunctionInstance",
    sync_to_thread=True,
    status_code=200,
    answer=Done,
)
def delete_instance(context: InContext, instance_id: Id) -> Json:
    """Also takes Source Admin for the source."""
    with context.changing() as editor:
        instance = edit.get_instance(editor.session, context.workspace_id, instance_id)
        _require_source(context, instance)
        edit.delete_instance(editor, instance)
        return SUCCESS


def _require_source(context: Context, instance: InsertInstance) -> None:
    context.access.require(Permission.DESTINATION_WRITE, source_of(instance).id)


def instance_view(instance: InsertInstance) -> InstanceView:
    return {
        "id": instance.id,
        "name": instance.name,
        "integrationId": instance.integration_id,
        "classId": instance.function_id,
        "enabled": instance.enabled,
        "createdAt": timestamp(instance.created_at),
        "updatedAt": timestamp(instance.updated_at),
        "settings": shown(instance),
        "encryptedSettings": dict.fromkeys(instance.secrets, MASK),
        "version": running_version(instance),
    }


router = Router(
    "/insert-function-instances",
    route_handlers=[list_instances, create_instance, get_instance, update_instance, delete_instance],
)
