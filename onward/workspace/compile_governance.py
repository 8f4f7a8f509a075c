"""Tracking plans, schema settings and transformations → the rules that the data plane runs on."""

from collections import defaultdict
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from onward.pipeline.governance import spec
from onward.workspace import entities
from onward.workspace.schema_controls import controls_of
from onward.workspace.secrets import Cipher
from onward.workspace.transformation_shapes import spec_of

NAMED = ("TRACK", "PAGE", "SCREEN")
"""Kinds of rules that are found by a name."""


class Rules(NamedTuple):
    of_sources: dict[str, spec.Governance]
    """By source; one without rules is not there."""
    of_destinations: dict[tuple[str, str], tuple[spec.Transformation, ...]]
    """By source and kind of destination."""


def compile_rules(session: Session, cipher: Cipher) -> Rules:
    """Raises `SecretError`."""
    plans = _plans(session)
    connections = entities.PlanConnection
    parts: dict[str, dict[str, Any]] = defaultdict(dict)
    for source_id, plan_id in session.execute(select(connections.source_id, connections.tracking_plan_id)):
        parts[source_id]["plan"] = plans[plan_id]
    for settings in session.scalars(select(entities.SchemaSettings)):
        parts[settings.source_id] |= controls_of(settings.controls)
        parts[settings.source_id]["violations_to"] = settings.violations_to
        parts[settings.source_id]["blocked_to"] = settings.blocked_to
    for source_id, events in _events(session).items():
        parts[source_id]["events"] = tuple(events)
    of_destinations: dict[tuple[str, str], list[spec.Transformation]] = defaultdict(list)
    of_sources: dict[str, list[spec.Transformation]] = defaultdict(list)
    table = entities.Transformation
    for row in session.execute(
        select(*table.__table__.columns).where(table.enabled).order_by(table.created_at, table.id)
    ):
        if row.destination is None:
            of_sources[row.source_id].append(spec_of(row, cipher))
        else:
            of_destinations[row.source_id, row.destination].append(spec_of(row, cipher))
    for source_id, transformations in of_sources.items():
        parts[source_id]["transformations"] = tuple(transformations)
    made = {source_id: spec.Governance(**given) for source_id, given in parts.items()}
    return Rules(
        {source_id: rules for source_id, rules in made.items() if _does_something(rules)},
        {key: tuple(transformations) for key, transformations in of_destinations.items()},
    )


def _does_something(rules: spec.Governance) -> bool:
    """Controls and forwarding alone do nothing: they say what a plan's verdicts lead to."""
    return bool(rules.plan or rules.events or rules.transformations)


def _plans(session: Session) -> dict[str, spec.TrackingPlan]:
    """Those that a source keeps to."""
    plan, rule, connection = entities.TrackingPlan, entities.Rule, entities.PlanConnection
    used = select(connection.tracking_plan_id)
    rules: dict[str, list[spec.Rule]] = defaultdict(list)
    columns = (rule.tracking_plan_id, rule.type, rule.key, rule.version, rule.json_schema)
    query = select(*columns).where(rule.tracking_plan_id.in_(used)).order_by(rule.created_at, rule.id)
    for plan_id, kind, key, version, schema in session.execute(query):
        name = key if kind in NAMED else ""
        rules[plan_id].append(
            spec.Rule(kind=kind, key=name, version=version, schema=True if schema is None else schema)
        )
    return {
        id: spec.TrackingPlan(id=id, name=name, rules=tuple(rules[id]))
        for id, name in session.execute(select(plan.id, plan.name).where(plan.id.in_(used)))
    }


def _events(session: Session) -> dict[str, list[spec.SchemaEvent]]:
    found: dict[str, list[spec.SchemaEvent]] = defaultdict(list)
    event = entities.SchemaEvent
    for row in session.execute(select(*event.__table__.columns).order_by(event.type, event.name)):
        found[row.source_id].append(
            spec.SchemaEvent(
                kind=row.type,
                name=row.name,
                enabled=row.enabled,
                integrations=row.integrations,
                omitted=tuple(row.omitted),
            )
        )
    return found
