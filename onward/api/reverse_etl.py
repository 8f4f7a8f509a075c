"""Reverse ETL models and their syncs (spec §15). Models are kept; nothing extracts rows yet."""

from typing import Any, Literal, NoReturn, NotRequired, TypedDict

import msgspec
from litestar import delete, get, patch, post
from litestar.params import RawBody
from msgspec import UNSET, UnsetType
from sqlalchemy import select

from onward.api.answers import SUCCESS, Done, Json, Pagination, paged
from onward.api.answers import data as answer
from onward.api.bodies import Body
from onward.api.context import Id, InContext, Pages
from onward.workspace import reverse_etl as edit
from onward.workspace.entities import ReverseEtlModel, Source
from onward.workspace.errors import Invalid, NotFound, naming
from onward.workspace.pages import page
from onward.workspace.roles import Permission
from onward.workspace.schedules import Strategy
from onward.workspace.shapes import from_json

MODELS = "/reverse-etl-models"


class CreateModel(Body):
    source_id: str
    name: str
    query: str
    """SQL."""
    query_identifier_column: str
    description: str = ""
    enabled: bool = False
    schedule_strategy: Strategy = "MANUAL"
    schedule_config: dict[str, Any] = msgspec.field(default_factory=dict)


class UpdateModel(Body):
    name: str | UnsetType = UNSET
    query: str | UnsetType = UNSET
    query_identifier_column: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    schedule_strategy: Strategy | UnsetType = UNSET
    schedule_config: dict[str, Any] | UnsetType = UNSET


class StartSync(Body):
    source_id: str
    model_id: str
    subscription_id: str


class ModelView(TypedDict):
    id: str
    sourceId: str
    name: str
    description: str
    enabled: bool
    scheduleStrategy: str
    scheduleConfig: dict[str, Any]
    query: str
    queryIdentifierColumn: str


class ModelAnswer(TypedDict):
    reverseEtlModel: ModelView


class ModelsAnswer(TypedDict):
    models: list[ModelView]
    pagination: Pagination


class StartedSync(TypedDict):
    syncId: str
    startedAt: str


class StartedAnswer(TypedDict):
    reverseETLManualSync: StartedSync


class SyncView(TypedDict):
    syncId: str
    modelId: str
    sourceId: str
    syncStatus: Literal["IN_PROGRESS", "FAIL", "SUCCESS", "PARTIAL_SUCCESS"]
    duration: str
    startedAt: str
    finishedAt: NotRequired[str]


class SyncAnswer(TypedDict):
    reverseETLSync: SyncView


@get(MODELS, operation_id="listReverseEtlModels", sync_to_thread=True, answer=ModelsAnswer)
def list_models(context: InContext, paging: Pages) -> Json:
    with context.reading() as session:
        query = (
            select(ReverseEtlModel)
            .join(Source, Source.id == ReverseEtlModel.source_id)
            .where(Source.workspace_id == context.workspace_id)
        )
        query = context.narrowed(query, Source.id, Permission.MODEL_READ)
        found = page(session, query, ReverseEtlModel, paging.count, paging.cursor)
        return paged("models", found, _view)


@post(
    MODELS,
    operation_id="createReverseEtlModel",
    sync_to_thread=True,
    status_code=201,
    body=CreateModel,
    answer=ModelAnswer,
)
def create_model(context: InContext, body: RawBody) -> Json:
    """It is kept, and its schedule is checked; in this version of Onward no rows are extracted yet."""
    data = from_json(CreateModel, body)
    with context.changing() as editor, naming(identifier_column="queryIdentifierColumn"):
        source = editor.session.get(Source, data.source_id)
        if source is None or source.workspace_id != context.workspace_id:
            raise Invalid(f"there is no source {data.source_id}", field="sourceId")
        context.access.require(Permission.MODEL_WRITE, source.id)
        model = edit.create_model(
            editor,
            source,
            name=data.name,
            query=data.query,
            identifier_column=data.query_identifier_column,
            description=data.description,
            enabled=data.enabled,
            schedule_strategy=data.schedule_strategy,
            schedule_config=data.schedule_config,
        )
        return answer(reverseEtlModel=_view(model))


@get(f"{MODELS}/{{model_id:str}}", operation_id="getReverseEtlModel", sync_to_thread=True, answer=ModelAnswer)
def get_model(context: InContext, model_id: Id) -> Json:
    with context.reading() as session:
        return answer(reverseEtlModel=_view(edit.get_model(session, context.workspace_id, model_id)))


@patch(
    f"{MODELS}/{{model_id:str}}",
    operation_id="updateReverseEtlModel",
    sync_to_thread=True,
    body=UpdateModel,
    answer=ModelAnswer,
)
def update_model(context: InContext, model_id: Id, body: RawBody) -> Json:
    """Another strategy needs its configuration with it."""
    data = from_json(UpdateModel, body)
    with context.changing() as editor:
        model = edit.get_model(editor.session, context.workspace_id, model_id)
        edit.update_model(
            editor,
            model,
            name=data.name,
            query=data.query,
            identifier_column=data.query_identifier_column,
            description=data.description,
            enabled=data.enabled,
            schedule_strategy=data.schedule_strategy,
            schedule_config=data.schedule_config,
        )
        return answer(reverseEtlModel=_view(model))


@delete(
    f"{MODELS}/{{model_id:str}}",
    operation_id="deleteReverseEtlModel",
    sync_to_thread=True,
    status_code=200,
    answer=Done,
)
def delete_model(context: InContext, model_id: Id) -> Json:
    with context.changing() as editor:
        edit.delete_model(editor, edit.get_model(editor.session, context.workspace_id, model_id))
        return SUCCESS


@get(
    f"{MODELS}/{{model_id:str}}/syncs/{{sync_id:str}}",
    operation_id="getReverseETLSyncFromModel",
    sync_to_thread=True,
    answer=SyncAnswer,
)
def get_sync(context: InContext, model_id: Id, sync_id: Id) -> NoReturn:
    """There are none yet."""
    with context.reading() as session:
        model = edit.get_model(session, context.workspace_id, model_id)
        raise NotFound(f"the model {model.name} has no sync {sync_id}")


@post(
    "/reverse-etl-syncs",
    operation_id="createReverseETLManualSync",
    sync_to_thread=True,
    status_code=200,
    body=StartSync,
    answer=StartedAnswer,
)
def start_sync(context: InContext, body: RawBody) -> NoReturn:
    """Not available yet: 422, also when what it is to sync by is found right."""
    data = from_json(StartSync, body)
    with context.reading() as session:
        try:
            model = edit.get_model(session, context.workspace_id, data.model_id)
        except NotFound as error:
            raise Invalid(error.message, field="modelId") from None
        context.access.require(Permission.MODEL_WRITE, model.source_id)
        edit.start_sync(session, model, data.source_id, data.subscription_id)


def _view(model: ReverseEtlModel) -> ModelView:
    return {
        "id": model.id,
        "sourceId": model.source_id,
        "name": model.name,
        "description": model.description,
        "enabled": model.enabled,
        "scheduleStrategy": model.schedule_strategy,
        "scheduleConfig": model.schedule_config,
        "query": model.query,
        "queryIdentifierColumn": model.identifier_column,
    }


ROUTES = [list_models, create_model, get_model, update_model, delete_model, get_sync, start_sync]
