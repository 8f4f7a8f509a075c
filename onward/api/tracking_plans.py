"""Tracking plans, their rules, and the sources that keep to them (spec §5)."""

from typing import Annotated, Any, NotRequired, TypedDict

import msgspec
from litestar import Router, delete, get, patch, post, put
from litestar.params import RawBody
from msgspec import UNSET, UnsetType
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from onward.api.answers import SUCCESS, Done, Json, Pagination, SourceView, paged, source_view, timestamp
from onward.api.answers import data as answer
from onward.api.bodies import Body
from onward.api.context import ApiRequest, Id, InContext, Pages
from onward.api.function_entries import source_entry
from onward.api.query import read_query
from onward.workspace import tracking_plans as edit
from onward.workspace.entities import PlanConnection, Rule, Source, TrackingPlan
from onward.workspace.pages import page
from onward.workspace.roles import Permission
from onward.workspace.shapes import from_json
from onward.workspace.sources import get_source
from onward.workspace.tracking_plans import GivenRule, PlanType, RuleType

Version = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class CreateTrackingPlan(Body):
    name: str
    type: PlanType
    """Only plans of the type LIVE are connected to sources."""
    description: str | None = None


class UpdateTrackingPlan(Body):
    name: str | UnsetType = UNSET
    description: str | UnsetType | None = UNSET


class RuleIdentity(Body):
    type: RuleType
    version: Version
    key: str | None = None
    """The event's name, for PAGE and SCREEN the page's; other types need none."""


class RuleIn(RuleIdentity, kw_only=True):
    json_schema: Any
    """JSON Schema of draft 7, of the whole event; null for an event that may hold anything."""


class UpsertedRule(RuleIn, kw_only=True):
    new_key: str | None = None


class ReplaceRules(Body):
    rules: list[RuleIn]


class UpdateRules(Body):
    rules: list[UpsertedRule]


class RemovedRules(msgspec.Struct):
    rules: list[RuleIdentity]


class PlansQuery(msgspec.Struct):
    type: PlanType | None = None


class SourceOfPlan(Body):
    source_id: str


class SourceQuery(msgspec.Struct, rename="camel"):
    source_id: str


class TrackingPlanView(TypedDict):
    id: str
    name: str
    slug: str
    description: NotRequired[str]
    type: PlanType
    updatedAt: str
    createdAt: str


class RuleView(TypedDict):
    type: RuleType
    key: NotRequired[str]
    jsonSchema: Any
    version: int
    createdAt: str
    updatedAt: str


class TrackingPlanAnswer(TypedDict):
    trackingPlan: TrackingPlanView


class TrackingPlansAnswer(TypedDict):
    trackingPlans: list[TrackingPlanView]
    pagination: Pagination


class RulesAnswer(TypedDict):
    rules: list[RuleView]
    pagination: Pagination


class SourcesOfPlan(TypedDict):
    sources: list[SourceView]
    pagination: Pagination


@get("/", operation_id="listTrackingPlans", sync_to_thread=True, query=PlansQuery, answer=TrackingPlansAnswer)
def list_tracking_plans(context: InContext, request: ApiRequest, paging: Pages) -> Json:
    asked = read_query(request, PlansQuery)
    with context.reading() as session:
        query = select(TrackingPlan).where(TrackingPlan.workspace_id == context.workspace_id)
        if asked.type is not None:
            query = query.where(TrackingPlan.type == asked.type)
        found = page(session, query, TrackingPlan, paging.count, paging.cursor)
        return paged("trackingPlans", found, _plan_view)


@post(
    "/",
    operation_id="createTrackingPlan",
    sync_to_thread=True,
    status_code=200,
    body=CreateTrackingPlan,
    answer=TrackingPlanAnswer,
)
def create_tracking_plan(context: InContext, body: RawBody) -> Json:
    data = from_json(CreateTrackingPlan, body)
    with context.changing() as editor:
        plan = edit.create_plan(editor, name=data.name, type=data.type, description=data.description)
        return answer(trackingPlan=_plan_view(plan))


@get(
    "/{tracking_plan_id:str}", operation_id="getTrackingPlan", sync_to_thread=True, answer=TrackingPlanAnswer
)
def get_tracking_plan(context: InContext, tracking_plan_id: Id) -> Json:
    with context.reading() as session:
        plan = edit.get_plan(session, context.workspace_id, tracking_plan_id)
        return answer(trackingPlan=_plan_view(plan))


@patch(
    "/{tracking_plan_id:str}",
    operation_id="updateTrackingPlan",
    sync_to_thread=True,
    body=UpdateTrackingPlan,
    answer=Done,
)
def update_tracking_plan(context: InContext, tracking_plan_id: Id, body: RawBody) -> Json:
    data = from_json(UpdateTrackingPlan, body)
    with context.changing() as editor:
        plan = edit.get_plan(editor.session, context.workspace_id, tracking_plan_id)
        edit.update_plan(editor, plan, name=data.name, description=data.description)
        return SUCCESS


@delete(
    "/{tracking_plan_id:str}",
    operation_id="deleteTrackingPlan",
    sync_to_thread=True,
    status_code=200,
    answer=Done,
)
def delete_tracking_plan(context: InContext, tracking_plan_id: Id) -> Json:
    """Its sources keep to no plan then."""
    with context.changing() as editor:
        edit.delete_plan(editor, edit.get_plan(editor.session, context.workspace_id, tracking_plan_id))
        return SUCCESS


@get(
    "/{tracking_plan_id:str}/rules",
    operation_id="listRulesFromTrackingPlan",
    sync_to_thread=True,
    answer=RulesAnswer,
)
def list_rules(context: InContext, tracking_plan_id: Id, paging: Pages) -> Json:
    with context.reading() as session:
        plan = edit.get_plan(session, context.workspace_id, tracking_plan_id)
        query = select(Rule).where(Rule.tracking_plan_id == plan.id)
        return paged("rules", page(session, query, Rule, paging.count, paging.cursor), _rule_view)


@put(
    "/{tracking_plan_id:str}/rules",
    operation_id="replaceRulesInTrackingPlan",
    shown_by="getTrackingPlan",
    sync_to_thread=True,
    body=ReplaceRules,
    answer=Done,
)
def replace_rules(context: InContext, tracking_plan_id: Id, body: RawBody) -> Json:
    """All rules, at most 200; more are added with PATCH."""
    data = from_json(ReplaceRules, body)
    with context.changing() as editor:
        plan = edit.get_plan(editor.session, context.workspace_id, tracking_plan_id)
        edit.replace_rules(editor, plan, [_given(rule, rule.json_schema) for rule in data.rules])
        return SUCCESS


@patch(
    "/{tracking_plan_id:str}/rules",
    operation_id="updateRulesInTrackingPlan",
    shown_by="getTrackingPlan",
    sync_to_thread=True,
    body=UpdateRules,
    answer=Done,
)
def update_rules(context: InContext, tracking_plan_id: Id, body: RawBody) -> Json:
    """Add rules, or change those of the same type, key and version; at most 200 at once."""
    data = from_json(UpdateRules, body)
    with context.changing() as editor:
        plan = edit.get_plan(editor.session, context.workspace_id, tracking_plan_id)
        given = [_given(rule, rule.json_schema, rule.new_key) for rule in data.rules]
        edit.update_rules(editor, plan, given)
        return SUCCESS


@delete(
    "/{tracking_plan_id:str}/rules",
    operation_id="removeRulesFromTrackingPlan",
    shown_by="getTrackingPlan",
    sync_to_thread=True,
    status_code=200,
    query=RemovedRules,
    answer=Done,
)
def remove_rules(context: InContext, request: ApiRequest, tracking_plan_id: Id) -> Json:
    data = read_query(request, RemovedRules)
    with context.changing() as editor:
        plan = edit.get_plan(editor.session, context.workspace_id, tracking_plan_id)
        edit.remove_rules(editor, plan, [_given(rule) for rule in data.rules])
        return SUCCESS


@get(
    "/{tracking_plan_id:str}/sources",
    operation_id="listSourcesFromTrackingPlan",
    sync_to_thread=True,
    answer=SourcesOfPlan,
)
def list_sources(context: InContext, tracking_plan_id: Id, paging: Pages) -> Json:
    """Those that the caller may see."""
    with context.reading() as session:
        plan = edit.get_plan(session, context.workspace_id, tracking_plan_id)
        query = (
            select(Source)
            .join(PlanConnection, PlanConnection.source_id == Source.id)
            .where(PlanConnection.tracking_plan_id == plan.id)
            .options(selectinload(Source.write_keys))
        )
        query = context.narrowed(query, Source.id, Permission.SOURCE_READ)
        found = page(session, query, Source, paging.count, paging.cursor)
        return paged("sources", found, lambda source: source_view(source, source_entry(context, source)))


@post(
    "/{tracking_plan_id:str}/sources",
    operation_id="addSourceToTrackingPlan",
    shown_by="getTrackingPlan",
    sync_to_thread=True,
    status_code=200,
    body=SourceOfPlan,
    answer=Done,
)
def add_source(context: InContext, tracking_plan_id: Id, body: RawBody) -> Json:
    """Takes the permission to change the source as well. A source keeps to one plan at most."""
    data = from_json(SourceOfPlan, body)
    with context.changing() as editor:
        plan = edit.get_plan(editor.session, context.workspace_id, tracking_plan_id)
        source = get_source(editor.session, context.workspace_id, data.source_id)
        context.access.require(Permission.SOURCE_WRITE, source.id)
        edit.connect(editor, plan, source)
        return SUCCESS


@delete(
    "/{tracking_plan_id:str}/sources",
    operation_id="removeSourceFromTrackingPlan",
    shown_by="getTrackingPlan",
    sync_to_thread=True,
    status_code=200,
    query=SourceQuery,
    answer=Done,
)
def remove_source(context: InContext, request: ApiRequest, tracking_plan_id: Id) -> Json:
    """Takes the permission to change the source as well."""
    asked = read_query(request, SourceQuery)
    with context.changing() as editor:
        plan = edit.get_plan(editor.session, context.workspace_id, tracking_plan_id)
        source = get_source(editor.session, context.workspace_id, asked.source_id)
        context.access.require(Permission.SOURCE_WRITE, source.id)
        edit.disconnect(editor, plan, source)
        return SUCCESS


def _given(rule: RuleIdentity, schema: Any = None, new_key: str | None = None) -> GivenRule:
    return GivenRule(
        type=rule.type, key=rule.key or "", version=rule.version, json_schema=schema, new_key=new_key
    )


def _plan_view(plan: TrackingPlan) -> Json:
    view = {
        "id": plan.id,
        "name": plan.name,
        "slug": plan.slug,
        "type": plan.type,
        "updatedAt": timestamp(plan.updated_at),
        "createdAt": timestamp(plan.created_at),
    }
    return view if plan.description is None else view | {"description": plan.description}


def _rule_view(rule: Rule) -> Json:
    view = {
        "type": rule.type,
        "jsonSchema": rule.json_schema,
        "version": rule.version,
        "createdAt": timestamp(rule.created_at),
        "updatedAt": timestamp(rule.updated_at),
    }
    return view | {"key": rule.key} if rule.key else view


router = Router(
    "/tracking-plans",
    route_handlers=[
        list_tracking_plans,
        create_tracking_plan,
        get_tracking_plan,
        update_tracking_plan,
        delete_tracking_plan,
        list_rules,
        replace_rules,
        update_rules,
        remove_rules,
        list_sources,
        add_source,
        remove_source,
    ],
)
