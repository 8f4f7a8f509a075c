"""Tracking plans, their rules, and the sources that keep to them (spec §5)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from msgspec import UNSET, UnsetType
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from onward.pipeline.governance.json_schema import Schema, SchemaError
from onward.workspace import audit, ids
from onward.workspace.entities import PlanConnection, Rule, Source, TrackingPlan, same_json
from onward.workspace.errors import Conflict, Invalid, NotFound
from onward.workspace.names import check_name
from onward.workspace.store import Editor

PlanType = Literal["ENGAGE", "LIVE", "PROPERTY_LIBRARY", "RULE_LIBRARY", "TEMPLATE"]
RuleType = Literal["COMMON", "GROUP", "IDENTIFY", "PAGE", "SCREEN", "TRACK"]

MAX_RULES_AT_ONCE = 200
"""Rules in one change, as with Segment."""
MAX_RULES = 2_000
"""Rules of one plan."""
MAX_KEY = 255
MAX_DESCRIPTION = 2_000


@dataclass(frozen=True, kw_only=True)
class GivenRule:
    type: RuleType
    key: str
    version: int
    json_schema: Any = None
    new_key: str | None = None

    @property
    def identity(self) -> tuple[str, str, int]:
        return self.type, self.key, self.version


def get_plan(session: Session, workspace_id: str, id: str) -> TrackingPlan:
    """Raises `NotFound`."""
    plan = session.get(TrackingPlan, id)
    if plan is None or plan.workspace_id != workspace_id:
        raise NotFound(f"there is no tracking plan {id}")
    return plan


def plan_of(session: Session, source: Source) -> str | None:
    """Id of the plan that a source keeps to."""
    connection = session.get(PlanConnection, source.id)
    return connection.tracking_plan_id if connection is not None else None


def create_plan(editor: Editor, *, name: str, type: PlanType, description: str | None = None) -> TrackingPlan:
    check_name(name)
    _check_description(description)
    plan = TrackingPlan(
        id=ids.resource_id(),
        workspace_id=editor.workspace.id,
        name=name,
        slug=_free_slug(editor, name),
        description=description,
        type=type,
        created_at=editor.now,
        updated_at=editor.now,
    )
    editor.created(plan)
    return plan


def update_plan(
    editor: Editor,
    plan: TrackingPlan,
    *,
    name: str | UnsetType = UNSET,
    description: str | UnsetType | None = UNSET,
) -> bool:
    """Change what is given; whether anything differs."""
    before = audit.state(plan)
    if name is not UNSET:
        check_name(name)
        plan.name = name
    if description is not UNSET:
        _check_description(description)
        plan.description = description
    return editor.modified(plan, before)


def delete_plan(editor: Editor, plan: TrackingPlan) -> None:
    """The plan and its rules; its sources keep to none then."""
    editor.deleted(plan)


def rules_of(session: Session, plan: TrackingPlan) -> Sequence[Rule]:
    query = select(Rule).where(Rule.tracking_plan_id == plan.id).order_by(Rule.created_at, Rule.id)
    return session.scalars(query).all()


def update_rules(editor: Editor, plan: TrackingPlan, given: Sequence[GivenRule]) -> None:
    """Add rules, or change those that are there with the same type, key and version."""
    _check_rules(given)
    present = {(rule.type, rule.key, rule.version): rule for rule in rules_of(editor.session, plan)}
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for fresh_id, each in zip(_ids(len(given)), given, strict=True):
        rule = present.get(each.identity)
        if rule is None:
            rule = _new_rule(editor, plan, fresh_id, each)
            if each.new_key is not None:
                rule.key = each.new_key
        else:
            key = rule.key if each.new_key is None else each.new_key
            if key == rule.key and same_json(rule.json_schema, each.json_schema):
                continue
            before[_label(rule)] = rule.json_schema
            del present[each.identity]
            rule.key, rule.json_schema, rule.updated_at = key, each.json_schema, editor.now
        identity = (rule.type, rule.key, rule.version)
        if identity in present:
            raise Conflict(f"the plan has a rule {_label(rule)} already", field="rules")
        present[identity] = rule
        editor.session.add(rule)
        after[_label(rule)] = rule.json_schema
    if len(present) > MAX_RULES:
        raise Conflict(f"a tracking plan may have {MAX_RULES} rules; this would make {len(present)}", "rules")
    _changed(editor, plan, before, after)


def replace_rules(editor: Editor, plan: TrackingPlan, given: Sequence[GivenRule]) -> None:
    """These rules and no others. A rule that stays is the same one as before."""
    _check_rules(given)
    wanted = {each.identity for each in given}
    gone = [
        each for each in rules_of(editor.session, plan) if (each.type, each.key, each.version) not in wanted
    ]
    before = _remove(editor, gone)
    update_rules(editor, plan, given)
    _changed(editor, plan, before, {})


def remove_rules(editor: Editor, plan: TrackingPlan, given: Sequence[GivenRule]) -> None:
    """Raises `NotFound` if one of them is not there."""
    _check_number(given)
    present = {(rule.type, rule.key, rule.version): rule for rule in rules_of(editor.session, plan)}
    gone = []
    for each in given:
        rule = present.pop(each.identity, None)
        if rule is None:
            raise NotFound(f"the plan has no rule {each.type} {each.key} of version {each.version}", "rules")
        gone.append(rule)
    _changed(editor, plan, _remove(editor, gone), {})


def connect(editor: Editor, plan: TrackingPlan, source: Source) -> None:
    """Let the source keep to the plan."""
    if plan.type != "LIVE":
        raise Invalid(f"a plan of the type {plan.type} is not connected to sources", field="trackingPlanId")
    current = plan_of(editor.session, source)
    if current == plan.id:
        return
    if current is not None:
        raise Conflict(
            f"the source {source.slug} keeps to the tracking plan {current}; disconnect it first",
            field="sourceId",
        )
    connection = PlanConnection(source_id=source.id, tracking_plan_id=plan.id, created_at=editor.now)
    editor.session.add(connection)
    _connected(editor, source, None, plan.id)


def disconnect(editor: Editor, plan: TrackingPlan, source: Source) -> None:
    if plan_of(editor.session, source) != plan.id:
        raise NotFound(f"the source {source.slug} does not keep to this tracking plan", field="sourceId")
    editor.session.execute(delete(PlanConnection).where(PlanConnection.source_id == source.id))
    _connected(editor, source, plan.id, None)


def _connected(editor: Editor, source: Source, before: str | None, after: str | None) -> None:
    state = audit.state(source)
    editor.session.flush()
    editor.record(
        source,
        audit.event_type(source, "Modified"),
        {**state, "tracking_plan_id": before},
        {**state, "tracking_plan_id": after},
    )


def _changed(editor: Editor, plan: TrackingPlan, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Write the changed rules down as a change of the plan: name → schema."""
    if not before and not after:
        return
    plan.updated_at = editor.now
    editor.session.flush()
    editor.record(plan, audit.event_type(plan, "Modified"), {"rules": before}, {"rules": after})


def _remove(editor: Editor, rules: Iterable[Rule]) -> dict[str, Any]:
    before: dict[str, Any] = {}
    for rule in rules:
        before[_label(rule)] = rule.json_schema
        editor.session.delete(rule)
    editor.session.flush()
    return before


def _new_rule(editor: Editor, plan: TrackingPlan, id: str, given: GivenRule) -> Rule:
    return Rule(
        id=id,
        tracking_plan_id=plan.id,
        type=given.type,
        key=given.key,
        version=given.version,
        json_schema=given.json_schema,
        created_at=editor.now,
        updated_at=editor.now,
    )


def _ids(number: int) -> list[str]:
    """So that rules made together are listed as they were given."""
    return sorted(ids.resource_id() for _ in range(number))


def _label(rule: Rule) -> str:
    return " ".join(filter(None, (rule.type, rule.key, f"v{rule.version}")))


def _check_rules(given: Sequence[GivenRule]) -> None:
    _check_number(given)
    seen: set[tuple[str, str, int]] = set()
    for at, each in enumerate(given):
        place = f"rules[{at}]"
        if each.type == "TRACK" and not each.key:
            raise Invalid("the rule of a track call needs a key, the name of the event", f"{place}.key")
        if max(len(each.key), len(each.new_key or "")) > MAX_KEY:
            raise Invalid(f"a key may have {MAX_KEY} characters", f"{place}.key")
        if each.new_key == "" and each.type == "TRACK":
            raise Invalid("the name of an event is not empty", f"{place}.newKey")
        if each.identity in seen:
            raise Invalid(f"this is a second rule {each.type} {each.key} of version {each.version}", place)
        seen.add(each.identity)
        try:
            Schema(True if each.json_schema is None else each.json_schema)
        except SchemaError as error:
            raise Invalid(f"this is no JSON Schema of draft 7: {error}", f"{place}.jsonSchema") from error


def _check_number(given: Sequence[GivenRule]) -> None:
    if len(given) > MAX_RULES_AT_ONCE:
        raise Invalid(
            f"rules must contain less than or equal to {MAX_RULES_AT_ONCE} items; do it in portions", "rules"
        )


def _check_description(description: str | None) -> None:
    if description is not None and len(description) > MAX_DESCRIPTION:
        raise Invalid(f"a description may have {MAX_DESCRIPTION} characters", field="description")


def _free_slug(editor: Editor, name: str) -> str:
    """A slug of the name that no other plan of the workspace has."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:200] or "tracking-plan"
    taken = set(
        editor.session.scalars(
            select(TrackingPlan.slug).where(
                TrackingPlan.workspace_id == editor.workspace.id,
                func.substr(TrackingPlan.slug, 1, len(slug)) == slug,
            )
        )
    )
    number = 1
    while (free := slug if number == 1 else f"{slug}-{number}") in taken:
        number += 1
    return free
