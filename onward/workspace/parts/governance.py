"""Tracking plans, and what sources say of their schema and of transformations (spec §5)."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import select
from sqlalchemy.orm import Session

from onward.workspace import schema_settings as schema_edits
from onward.workspace import tracking_plans as plan_edits
from onward.workspace import transformations as transformation_edits
from onward.workspace.entities import (
    PlanConnection,
    Rule,
    SchemaEvent,
    SchemaSettings,
    Source,
    TrackingPlan,
    Transformation,
)
from onward.workspace.errors import Conflict, Invalid, at, naming
from onward.workspace.parts.base import Options, Part, canonical, paired, portions, resolved, variable
from onward.workspace.parts.functions import function_named, name_of_function
from onward.workspace.schema_controls import DEFAULTS
from onward.workspace.schema_settings import EventType, Toggles
from onward.workspace.store import Editor
from onward.workspace.tracking_plans import GivenRule, PlanType, RuleType
from onward.workspace.transformation_shapes import (
    ComputedProperty,
    GivenChanges,
    HashConfiguration,
    PropertyRename,
    PropertyValue,
    changes_of,
)

Sources = Mapping[str, Source]
"""By slug."""


class TrackPart(Part):
    """Of track calls, with the names of the Public API."""

    allow_unplanned_events: bool = True
    allow_unplanned_event_properties: bool = True
    allow_event_on_violations: bool = True
    allow_properties_on_violations: bool = True
    common_event_on_violations: Literal["ALLOW", "BLOCK", "OMIT_PROPERTIES"] = "ALLOW"


class TraitsPart(Part):
    """Of identify or group calls."""

    allow_unplanned_traits: bool = True
    allow_traits_on_violations: bool = True
    common_event_on_violations: Literal["ALLOW", "BLOCK", "OMIT_TRAITS"] = "ALLOW"


class SchemaPart(Part):
    """Everything passes but for what is said here."""

    track: TrackPart | UnsetType = UNSET
    identify: TraitsPart | UnsetType = UNSET
    group: TraitsPart | UnsetType = UNSET
    forwarding_violations_to: str | None = None
    """Slug of a source, as the next."""
    forwarding_blocked_events_to: str | None = None


class SchemaEventPart(Part):
    type: EventType
    name: str = ""
    enabled: bool = True
    integrations: dict[str, bool] = msgspec.field(default_factory=dict)
    omitted: list[str] = msgspec.field(default_factory=list)


class TransformationPart(Part):
    name: str
    condition: str = msgspec.field(name="if")
    enabled: bool | UnsetType = UNSET
    destination: str | None = None
    """Slug in the catalogue of destinations; none of these two: for all, at the source."""
    function: str | None = None
    """Name of a destination function."""
    new_event_name: str | None = None
    property_renames: list[PropertyRename] = msgspec.field(default_factory=list)
    property_value_transformations: list[PropertyValue] = msgspec.field(default_factory=list)
    fql_defined_properties: list[ComputedProperty] = msgspec.field(default_factory=list)
    allow_properties: list[str] = msgspec.field(default_factory=list)
    drop_properties: list[str] = msgspec.field(default_factory=list)
    drop: bool = False
    hash_properties_configuration: HashConfiguration | None = None


class RulePart(Part):
    type: RuleType
    key: str = ""
    version: int = 1
    json_schema: Any = None


class TrackingPlanPart(Part):
    name: str
    type: PlanType = "LIVE"
    description: str | None = None
    rules: list[RulePart] | UnsetType = UNSET
    sources: list[str] | UnsetType = UNSET
    """Slugs of the sources that keep to it."""


# --- a source's schema ---


def schema_part(session: Session, source: Source) -> SchemaPart:
    stored = session.get(SchemaSettings, source.id)
    if stored is None:
        return SchemaPart()
    part = _normal(msgspec.convert(stored.controls, SchemaPart))
    part.forwarding_violations_to = _slug(session, stored.violations_to)
    part.forwarding_blocked_events_to = _slug(session, stored.blocked_to)
    return part


def _normal(part: SchemaPart) -> SchemaPart:
    """Without what is as it is by default."""
    return msgspec.structs.replace(
        part,
        track=UNSET if part.track == TrackPart() else part.track,
        identify=UNSET if part.identify == TraitsPart() else part.identify,
        group=UNSET if part.group == TraitsPart() else part.group,
    )


def converge_schema(editor: Editor, part: SchemaPart, source: Source, sources: Sources) -> None:
    if schema_part(editor.session, source) == _normal(part):
        return
    given = msgspec.to_builtins(part)
    controls = {type: defaults | given.get(type, {}) for type, defaults in DEFAULTS.items()}
    forwarding = {
        "violations": _id(sources, part.forwarding_violations_to, "forwardingViolationsTo"),
        "blocked": _id(sources, part.forwarding_blocked_events_to, "forwardingBlockedEventsTo"),
    }
    schema_edits.update_settings(editor, source, controls, forwarding)


def schema_event_parts(session: Session, source: Source) -> list[SchemaEventPart]:
    return [_schema_event_part(event) for event in schema_edits.events_of(session, source)]


def converge_schema_events(
    editor: Editor, parts: Sequence[SchemaEventPart], source: Source, options: Options
) -> None:
    named = {(part.type, part.name) for part in parts}
    wanted = list(parts)
    if options.prune:
        there = schema_event_parts(editor.session, source)
        reset = [part for part in there if (part.type, part.name) not in named]
        wanted += [SchemaEventPart(type=part.type, name=part.name) for part in reset]
    for portion in portions(wanted, schema_edits.MAX_EVENTS_AT_ONCE):
        toggles = [
            Toggles(
                type=part.type,
                name=part.name,
                enabled=part.enabled,
                integrations=part.integrations,
                omitted=part.omitted,
            )
            for part in portion
        ]
        schema_edits.update_events(editor, source, toggles)


def _schema_event_part(event: SchemaEvent) -> SchemaEventPart:
    return SchemaEventPart(
        type=msgspec.convert(event.type, EventType),
        name=event.name,
        enabled=event.enabled,
        integrations=event.integrations,
        omitted=event.omitted,
    )


# --- a source's transformations ---


def transformation_parts(session: Session, source: Source) -> list[TransformationPart]:
    found = (transformation_part(session, each, source) for each in _transformations(session, source))
    return sorted(found, key=canonical(lambda part: part.name))


def transformation_part(session: Session, made: Transformation, source: Source) -> TransformationPart:
    changes = changes_of(made)
    config = changes.hash_properties_configuration
    if config is not None and made.secrets:
        config = msgspec.structs.replace(config, key=variable(source.slug, made.name, "key"))
    function = name_of_function(session, "DESTINATION", made.destination)
    return TransformationPart(
        name=made.name,
        condition=made.condition,
        enabled=made.enabled,
        destination=None if function else made.destination,
        function=function,
        new_event_name=made.new_event_name,
        property_renames=changes.property_renames,
        property_value_transformations=changes.property_value_transformations,
        fql_defined_properties=changes.fql_defined_properties,
        allow_properties=changes.allow_properties,
        drop_properties=changes.drop_properties,
        drop=changes.drop,
        hash_properties_configuration=config,
    )


def converge_transformations(
    editor: Editor, parts: Sequence[TransformationPart], source: Source, options: Options
) -> None:
    there = [
        (transformation_part(editor.session, each, source), each)
        for each in _transformations(editor.session, source)
    ]
    found, rest = paired(parts, there, lambda part: part.name)
    if options.prune:
        for leftover in rest:
            transformation_edits.delete_transformation(editor, leftover)
    for index, (part, made) in enumerate(zip(parts, found, strict=True)):
        with at(f"transformations[{index}]"), naming(destinationMetadataId="destination"):
            _transformation(editor, part, made, source, options)


def _transformation(
    editor: Editor, part: TransformationPart, made: Transformation | None, source: Source, options: Options
) -> None:
    destination = part.destination
    if part.function is not None:
        destination = function_named(editor, "DESTINATION", part.function, "function").catalog_id
    given = {field.name: getattr(part, field.name) for field in msgspec.structs.fields(GivenChanges)}
    config = part.hash_properties_configuration
    if config is not None and config.key is not None:
        key = {"key": config.key}
        secrets = made.secrets if made is not None else {}
        with naming(settings="hashPropertiesConfiguration"):
            key = resolved(key, secrets, options, source.slug, part.name)
        given["hash_properties_configuration"] = msgspec.structs.replace(config, key=key["key"])
    changes = GivenChanges(**given)
    if made is None:
        transformation_edits.create_transformation(
            editor,
            source,
            name=part.name,
            condition=part.condition,
            enabled=False if part.enabled is UNSET else part.enabled,
            changes=changes,
            destination=destination,
            new_event_name=part.new_event_name,
        )
        return
    transformation_edits.update_transformation(
        editor,
        made,
        destination=destination,
        condition=part.condition,
        enabled=part.enabled,
        new_event_name=part.new_event_name,
        changes=changes,
    )


def _transformations(session: Session, source: Source) -> Sequence[Transformation]:
    query = select(Transformation).where(Transformation.source_id == source.id)
    return session.scalars(query.order_by(Transformation.created_at, Transformation.id)).all()


# --- tracking plans ---


def tracking_plan_parts(session: Session, workspace_id: str) -> list[TrackingPlanPart]:
    found = (_tracking_plan_part(session, plan) for plan in _plans(session, workspace_id))
    return sorted(found, key=canonical(lambda part: part.name))


def converge_tracking_plans(
    editor: Editor, parts: Sequence[TrackingPlanPart], sources: Sources, options: Options
) -> None:
    session = editor.session
    there = [(_tracking_plan_part(session, plan), plan) for plan in _plans(session, editor.workspace.id)]
    found, rest = paired(parts, there, lambda part: part.name)
    made = []
    if options.prune:
        for leftover in rest:
            plan_edits.delete_plan(editor, leftover)
    for index, (part, plan) in enumerate(zip(parts, found, strict=True)):
        with at(f"trackingPlans[{index}]"):
            made.append(_tracking_plan(editor, part, plan, options))
    # A source keeps to one plan: it leaves its former one before it gets another.
    if options.prune:
        for part, plan in zip(parts, made, strict=True):
            for slug in _connected(session, plan) if part.sources is not UNSET else ():
                if slug not in (part.sources or ()):
                    plan_edits.disconnect(editor, plan, sources[slug])
    for index, (part, plan) in enumerate(zip(parts, made, strict=True)):
        for place, slug in enumerate(part.sources or ()):
            with at(f"trackingPlans[{index}].sources[{place}]"):
                source = sources.get(slug)
                if source is None:
                    raise Invalid(f"there is no source {slug}")
                plan_edits.connect(editor, plan, source)


def _tracking_plan(
    editor: Editor, part: TrackingPlanPart, plan: TrackingPlan | None, options: Options
) -> TrackingPlan:
    if plan is None:
        plan = plan_edits.create_plan(editor, name=part.name, type=part.type, description=part.description)
    elif plan.type != part.type:
        raise Conflict(
            f"the plan {plan.name} is of the type {plan.type}, which can't be changed", field="type"
        )
    else:
        plan_edits.update_plan(editor, plan, description=part.description)
    if part.rules is not UNSET:
        _rules(editor, plan, [_given(rule) for rule in part.rules], options)
    return plan


def _rules(editor: Editor, plan: TrackingPlan, wanted: list[GivenRule], options: Options) -> None:
    """In portions, as large as one change may be."""
    if options.prune:
        kept = {rule.identity for rule in wanted}
        there = [_given(_rule_part(rule)) for rule in plan_edits.rules_of(editor.session, plan)]
        gone = [rule for rule in there if rule.identity not in kept]
        for portion in portions(gone, plan_edits.MAX_RULES_AT_ONCE):
            plan_edits.remove_rules(editor, plan, portion)
    for portion in portions(wanted, plan_edits.MAX_RULES_AT_ONCE):
        plan_edits.update_rules(editor, plan, portion)


def _tracking_plan_part(session: Session, plan: TrackingPlan) -> TrackingPlanPart:
    rules = (_rule_part(rule) for rule in plan_edits.rules_of(session, plan))
    return TrackingPlanPart(
        name=plan.name,
        type=msgspec.convert(plan.type, PlanType),
        description=plan.description,
        rules=sorted(rules, key=lambda rule: (rule.type, rule.key, rule.version)),
        sources=_connected(session, plan),
    )


def _rule_part(rule: Rule) -> RulePart:
    type = msgspec.convert(rule.type, RuleType)
    return RulePart(type=type, key=rule.key, version=rule.version, json_schema=rule.json_schema)


def _given(part: RulePart) -> GivenRule:
    return GivenRule(type=part.type, key=part.key, version=part.version, json_schema=part.json_schema)


def _plans(session: Session, workspace_id: str) -> Sequence[TrackingPlan]:
    query = select(TrackingPlan).where(TrackingPlan.workspace_id == workspace_id)
    return session.scalars(query.order_by(TrackingPlan.created_at, TrackingPlan.id)).all()


def _connected(session: Session, plan: TrackingPlan) -> list[str]:
    query = (
        select(Source.slug)
        .join(PlanConnection, PlanConnection.source_id == Source.id)
        .where(PlanConnection.tracking_plan_id == plan.id)
    )
    return sorted(session.scalars(query))


def _slug(session: Session, id: str | None) -> str | None:
    return session.get_one(Source, id).slug if id is not None else None


def _id(sources: Sources, slug: str | None, field: str) -> str | None:
    if slug is None:
        return None
    if slug not in sources:
        raise Invalid(f"there is no source {slug}", field=field)
    return sources[slug].id
