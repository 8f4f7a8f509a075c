"""Transformations of the events of a source, for all its destinations or for one kind of them (spec §5)."""

from typing import Any, Literal, NotRequired, TypedDict

import msgspec
from litestar import Router, delete, get, patch, post
from litestar.params import RawBody
from msgspec import UNSET, UnsetType
from sqlalchemy import select

from onward.api.answers import SUCCESS, Done, Json, Pagination, paged
from onward.api.answers import data as answer
from onward.api.context import Context, Id, InContext, Pages
from onward.workspace import transformations as edit
from onward.workspace.entities import Source, Transformation
from onward.workspace.errors import naming
from onward.workspace.pages import page
from onward.workspace.roles import Permission
from onward.workspace.secrets import MASK
from onward.workspace.shapes import from_json
from onward.workspace.sources import get_source
from onward.workspace.transformation_shapes import GivenChanges


class CreateTransformation(GivenChanges, kw_only=True):
    name: str
    source_id: str
    destination_metadata_id: str | None = None
    """Or, ours: the catalogue's slug. Without one it is for all destinations of the source."""
    enabled: bool
    condition: str = msgspec.field(name="if")
    """FQL."""
    new_event_name: str | None = None


class UpdateTransformation(GivenChanges, kw_only=True):
    name: str | UnsetType = UNSET
    source_id: str | UnsetType = UNSET
    destination_metadata_id: str | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    condition: str | UnsetType = msgspec.field(name="if", default=UNSET)
    new_event_name: str | UnsetType | None = UNSET


class RenameView(TypedDict):
    oldName: str
    newName: str


class ValueView(TypedDict):
    propertyPaths: list[str]
    propertyValue: str | int | float | bool | None


class ComputedView(TypedDict):
    fql: str
    propertyName: str


class HashView(TypedDict):
    algorithm: str
    paths: list[str]
    key: NotRequired[str]
    """A mask, which may be sent back to keep the key."""
    encoding: NotRequired[Literal["BASE16", "BASE64", "BASE64URL", "HEX"]]
    prefix: NotRequired[str]
    """Ours: what stands before the hash."""


_TransformationView = TypedDict("_TransformationView", {"if": str})


class TransformationView(_TransformationView, TypedDict):
    id: str
    name: str
    sourceId: str
    destinationMetadataId: NotRequired[str]
    enabled: bool
    newEventName: NotRequired[str]
    propertyRenames: NotRequired[list[RenameView]]
    propertyValueTransformations: NotRequired[list[ValueView]]
    fqlDefinedProperties: NotRequired[list[ComputedView]]
    allowProperties: NotRequired[list[str]]
    dropProperties: NotRequired[list[str]]
    """Ours."""
    drop: NotRequired[bool]
    """Ours and the Go SDK's: whether events that meet the condition are dropped, whatever else is set."""
    hashPropertiesConfiguration: NotRequired[HashView]


class TransformationAnswer(TypedDict):
    transformation: TransformationView


class TransformationsAnswer(TypedDict):
    transformations: list[TransformationView]
    pagination: Pagination


@get("/", operation_id="listTransformations", sync_to_thread=True, answer=TransformationsAnswer)
def list_transformations(context: InContext, paging: Pages) -> Json:
    with context.reading() as session:
        query = (
            select(Transformation)
            .join(Source, Source.id == Transformation.source_id)
            .where(Source.workspace_id == context.workspace_id)
        )
        query = context.narrowed(query, Transformation.source_id, Permission.SOURCE_READ)
        found = page(session, query, Transformation, paging.count, paging.cursor)
        return paged("transformations", found, lambda each: _view(context, each))


@post(
    "/",
    operation_id="createTransformation",
    sync_to_thread=True,
    status_code=200,
    body=CreateTransformation,
    answer=TransformationAnswer,
)
def create_transformation(context: InContext, body: RawBody) -> Json:
    """In force within two seconds, for events received from then on."""
    data = from_json(CreateTransformation, body)
    with context.changing() as editor, naming(condition="if"):
        source = get_source(editor.session, context.workspace_id, data.source_id)
        context.access.require(Permission.SOURCE_WRITE, source.id)
        made = edit.create_transformation(
            editor,
            source,
            name=data.name,
            condition=data.condition,
            enabled=data.enabled,
            changes=data,
            destination=data.destination_metadata_id,
            new_event_name=data.new_event_name,
        )
        return answer(transformation=_view(context, made))


@get(
    "/{transformation_id:str}",
    operation_id="getTransformation",
    sync_to_thread=True,
    answer=TransformationAnswer,
)
def get_transformation(context: InContext, transformation_id: Id) -> Json:
    with context.reading() as session:
        found = edit.get_transformation(session, context.workspace_id, transformation_id)
        return answer(transformation=_view(context, found))


@patch(
    "/{transformation_id:str}",
    operation_id="updateTransformation",
    sync_to_thread=True,
    body=UpdateTransformation,
    answer=TransformationAnswer,
)
def update_transformation(context: InContext, transformation_id: Id, body: RawBody) -> Json:
    """A list that is given replaces the whole list."""
    data = from_json(UpdateTransformation, body)
    with context.changing() as editor, naming(condition="if"):
        found = edit.get_transformation(editor.session, context.workspace_id, transformation_id)
        source: Source | UnsetType = UNSET
        if data.source_id is not UNSET:
            source = get_source(editor.session, context.workspace_id, data.source_id)
            context.access.require(Permission.SOURCE_WRITE, source.id)
        edit.update_transformation(
            editor,
            found,
            name=data.name,
            source=source,
            destination=data.destination_metadata_id,
            condition=data.condition,
            enabled=data.enabled,
            new_event_name=data.new_event_name,
            changes=data,
        )
        return answer(transformation=_view(context, found))


@delete(
    "/{transformation_id:str}",
    operation_id="deleteTransformation",
    sync_to_thread=True,
    status_code=200,
    answer=Done,
)
def delete_transformation(context: InContext, transformation_id: Id) -> Json:
    with context.changing() as editor:
        found = edit.get_transformation(editor.session, context.workspace_id, transformation_id)
        edit.delete_transformation(editor, found)
        return SUCCESS


def _view(context: Context, transformation: Transformation) -> Json:
    """What is not set is not there."""
    view: dict[str, Any] = {
        "id": transformation.id,
        "name": transformation.name,
        "sourceId": transformation.source_id,
        "enabled": transformation.enabled,
        "if": transformation.condition,
    }
    if transformation.destination is not None:
        definition = context.store.catalogue.get(transformation.destination)
        view["destinationMetadataId"] = definition.id if definition else transformation.destination
    if transformation.new_event_name is not None:
        view["newEventName"] = transformation.new_event_name
    view |= transformation.changes
    if transformation.secrets:
        view["hashPropertiesConfiguration"] = view["hashPropertiesConfiguration"] | {"key": MASK}
    return view


router = Router(
    "/transformations",
    route_handlers=[
        list_transformations,
        create_transformation,
        get_transformation,
        update_transformation,
        delete_transformation,
    ],
)
