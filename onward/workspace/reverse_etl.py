"""Reverse ETL models: queries whose rows are to be sent to destinations (spec §15.1, §15.6).

Kept and checked as far as that can be done without the warehouse. Nothing extracts rows yet, so there are
no syncs.
"""

from typing import Any, NoReturn

from msgspec import UNSET, UnsetType
from sqlalchemy.orm import Session

from onward.workspace import audit, ids
from onward.workspace.entities import ReverseEtlModel, Source, Subscription
from onward.workspace.errors import Invalid, NotFound, Unavailable
from onward.workspace.names import check_name
from onward.workspace.schedules import check_schedule
from onward.workspace.store import Editor

MAX_QUERY = 65_535
"""Characters."""
MAX_COLUMN = 191
MAX_DESCRIPTION = 4096


def get_model(session: Session, workspace_id: str, id: str) -> ReverseEtlModel:
    """Raises `NotFound`."""
    model = session.get(ReverseEtlModel, id)
    if model is None or session.get_one(Source, model.source_id).workspace_id != workspace_id:
        raise NotFound(f"there is no reverse ETL model {id}")
    return model


def create_model(
    editor: Editor,
    source: Source,
    *,
    name: str,
    query: str,
    identifier_column: str,
    description: str = "",
    enabled: bool = False,
    schedule_strategy: str = "MANUAL",
    schedule_config: dict[str, Any] | None = None,
) -> ReverseEtlModel:
    model = ReverseEtlModel(
        id=ids.resource_id(),
        source_id=source.id,
        name=name,
        description=description,
        enabled=enabled,
        schedule_strategy=schedule_strategy,
        schedule_config=schedule_config or {},
        query=query,
        identifier_column=identifier_column,
        created_at=editor.now,
        updated_at=editor.now,
    )
    _check(model)
    editor.created(model)
    return model


def update_model(
    editor: Editor,
    model: ReverseEtlModel,
    *,
    name: str | UnsetType = UNSET,
    query: str | UnsetType = UNSET,
    identifier_column: str | UnsetType = UNSET,
    description: str | UnsetType = UNSET,
    enabled: bool | UnsetType = UNSET,
    schedule_strategy: str | UnsetType = UNSET,
    schedule_config: dict[str, Any] | UnsetType = UNSET,
) -> bool:
    """Change what is given; whether anything differs. Another strategy needs its own configuration."""
    before = audit.state(model)
    given = {
        "name": name,
        "query": query,
        "identifier_column": identifier_column,
        "description": description,
        "enabled": enabled,
        "schedule_strategy": schedule_strategy,
        "schedule_config": schedule_config,
    }
    if schedule_strategy is not UNSET and schedule_strategy != model.schedule_strategy:
        given["schedule_config"] = {} if schedule_config is UNSET else schedule_config
    for column, value in given.items():
        if value is not UNSET:
            setattr(model, column, value)
    _check(model)
    return editor.modified(model, before)


def delete_model(editor: Editor, model: ReverseEtlModel) -> None:
    editor.deleted(model)


def start_sync(session: Session, model: ReverseEtlModel, source_id: str, subscription_id: str) -> NoReturn:
    """Raises `Invalid` if there is nothing to sync by, and `Unavailable` if there is."""
    if model.source_id != source_id:
        raise Invalid(f"the model {model.name} is one of the source {model.source_id}", field="sourceId")
    subscription = session.get(Subscription, subscription_id)
    workspace_id = session.get_one(Source, source_id).workspace_id
    if subscription is None or subscription.destination.source.workspace_id != workspace_id:
        raise Invalid(f"there is no subscription {subscription_id}", field="subscriptionId")
    raise Unavailable("reverse ETL does not run in this version of Onward; models are kept until it does")


def _check(model: ReverseEtlModel) -> None:
    check_name(model.name)
    if len(model.description) > MAX_DESCRIPTION:
        raise Invalid(f"the description has more than {MAX_DESCRIPTION} characters", field="description")
    if not model.query.strip():
        raise Invalid("the query is empty", field="query")
    if len(model.query) > MAX_QUERY:
        raise Invalid(f"the query has {len(model.query)} characters; {MAX_QUERY} are allowed", field="query")
    check_name(model.identifier_column, "queryIdentifierColumn", MAX_COLUMN)
    check_schedule(model.schedule_strategy, model.schedule_config)
