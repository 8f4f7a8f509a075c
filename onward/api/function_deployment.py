"""Where functions run, in which version, and deploying them (spec §10.10)."""

from collections.abc import Sequence
from typing import Literal, TypedDict

from litestar import Router, get, post
from litestar.params import RawBody

from onward.api.answers import Json, Pagination, numbered_page, position
from onward.api.answers import data as answer
from onward.api.bodies import Body
from onward.api.context import Context, Id, InContext, Pages
from onward.api.running import RunningVersion, running_version
from onward.workspace.errors import Forbidden
from onward.workspace.function_deployment import deploy
from onward.workspace.function_instances import Instance, destination_of, find_instances, source_of
from onward.workspace.functions import get_function
from onward.workspace.roles import Permission
from onward.workspace.shapes import from_json


class DeployFunction(Body):
    instance_ids: list[str] | None = None
    """Ours: the instances that get the latest version; all of them unless given. What is connected later
    gets it in any case."""


class Deployment(TypedDict):
    status: Literal["SUCCESS"]


class DeploymentAnswer(TypedDict):
    functionDeployment: Deployment


class FunctionInstance(TypedDict):
    id: str
    """Of the destination, of the source, or of the insert function instance."""
    name: str
    enabled: bool
    sourceId: str
    sourceSlug: str
    sourceName: str
    destinationId: str | None
    """The destination that it is or stands before; null at a source."""
    destinationName: str | None
    version: RunningVersion
    mayDeploy: bool
    """Whether the caller may deploy to it."""


class InstancesAnswer(TypedDict):
    instances: list[FunctionInstance]
    pagination: Pagination
    hidden: int
    """How many more there are, of sources that the caller may not see."""


@get(
    "/{function_id:str}/instances",
    operation_id="listFunctionInstances",
    sync_to_thread=True,
    answer=InstancesAnswer,
)
def list_instances(context: InContext, function_id: Id, paging: Pages) -> Json:
    """Ours: what a function is, or stands before or after, and the version that each runs."""
    with context.reading() as session:
        function = get_function(session, context.workspace_id, function_id)
        every = find_instances(session, function, None)
        seen = [each for each in every if context.access.to(Permission.DESTINATION_READ, source_of(each).id)]
        start, cursors = position(paging, function.id)
        page = numbered_page(
            seen, "instances", paging.count, start, cursors, lambda each: _view(context, each)
        )
        page["data"]["hidden"] = len(every) - len(seen)
        return page


@post(
    "/{function_id:str}/deploy",
    operation_id="createFunctionDeployment",
    sync_to_thread=True,
    status_code=200,
    body=DeployFunction,
    body_optional=True,
    answer=DeploymentAnswer,
)
def create_deployment(context: InContext, function_id: Id, body: RawBody) -> Json:
    """Make the latest version the one that instances run: all, or those that are named.

    Also takes Source Admin: for the sources of these instances, or if there are none for any.
    """
    data = from_json(DeployFunction, body or b"{}")
    with context.changing() as editor:
        function = get_function(editor.session, context.workspace_id, function_id)
        to = find_instances(editor.session, function, data.instance_ids)
        _require_sources(context, to)
        deploy(editor, function, to)
        return answer(functionDeployment={"status": "SUCCESS"})


def _require_sources(context: Context, instances: Sequence[Instance]) -> None:
    """Raises `Forbidden`."""
    for id in sorted({source_of(each).id for each in instances}):
        context.access.require(Permission.DESTINATION_WRITE, id)
    if not instances and not context.access.anywhere(Permission.DESTINATION_WRITE):
        raise Forbidden(f"to deploy a function takes the permission {Permission.DESTINATION_WRITE} as well")


def _view(context: Context, instance: Instance) -> FunctionInstance:
    source, destination = source_of(instance), destination_of(instance)
    version = running_version(instance)
    assert version is not None
    return {
        "id": instance.id,
        "name": instance.name,
        "enabled": instance.enabled,
        "sourceId": source.id,
        "sourceSlug": source.slug,
        "sourceName": source.name,
        "destinationId": destination.id if destination else None,
        "destinationName": destination.name if destination else None,
        "version": version,
        "mayDeploy": context.access.to(Permission.DESTINATION_WRITE, source.id),
    }


router = Router("/functions", route_handlers=[list_instances, create_deployment])
