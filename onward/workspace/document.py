"""The workspace as a YAML document: its shape, how it is read, how it is written.

Things are known by slug, name or e-mail address, so that a document can be moved between workspaces. Of a
thing that is in the document, what is absent has its default, but for `enabled` and for what is kept as a
thing of its own (write keys, subscriptions, filters, schema, transformations, members, …): absent, these are
left as they are. Secrets are never written: in their place stands `${NAME}`, which `apply` takes from the
environment, or keeps if the variable is not set.

Tokens, sessions, passwords and regulations are in no document. `onward.workspace.parts` has the shapes of all
but sources and destinations.

It is YAML 1.2's core schema: `no` and `12:30` and `2030-01-31` are texts.
"""

import math
import re
from typing import Any

import msgspec
import yaml
from msgspec import UNSET, UnsetType
from sqlalchemy import select
from sqlalchemy.orm import Session

from onward.workspace import delivery
from onward.workspace.audit_forwarding import forwarding_of
from onward.workspace.delivery import Delivery
from onward.workspace.entities import Destination, Filter, Source, Subscription, Workspace
from onward.workspace.errors import Invalid
from onward.workspace.parts.alerts import AlertPart, alert_parts
from onward.workspace.parts.base import Json, Part, canonical, written
from onward.workspace.parts.functions import (
    FunctionPart,
    InsertedPart,
    edge_functions_part,
    function_parts,
    inserted_part,
    is_held,
    name_of_function,
)
from onward.workspace.parts.governance import (
    SchemaEventPart,
    SchemaPart,
    TrackingPlanPart,
    TransformationPart,
    schema_event_parts,
    schema_part,
    tracking_plan_parts,
    transformation_parts,
)
from onward.workspace.parts.people import (
    GroupPart,
    LabelPart,
    PersonPart,
    group_parts,
    label_parts,
    person_parts,
)
from onward.workspace.parts.storage import ModelPart, WarehousePart, model_parts, warehouse_parts
from onward.workspace.shapes import from_value


class WorkspacePart(Part):
    name: str
    audit_forwarding: str | UnsetType | None = UNSET
    """Slug of the source that audit events are forwarded to."""


class SourcePart(Part):
    slug: str
    type: str | None = None
    """Slug in the catalogue of sources."""
    function: str | None = None
    """Or the name of a source function."""
    deployed: bool = True
    """Of a source function: False leaves alone the version that runs."""
    name: str | None = None
    """The slug unless given."""
    enabled: bool | UnsetType = UNSET
    write_keys: list[str] | UnsetType = UNSET
    settings: Json = msgspec.field(default_factory=dict)
    labels: list[LabelPart] = msgspec.field(default_factory=list)
    """Labels of the workspace."""
    rate_limit: float | None = None
    schema: SchemaPart | UnsetType = UNSET
    schema_events: list[SchemaEventPart] | UnsetType = UNSET
    transformations: list[TransformationPart] | UnsetType = UNSET
    insert_function: InsertedPart | UnsetType | None = UNSET
    edge_functions: str | UnsetType | None = UNSET
    """Address of the bundle."""
    models: list[ModelPart] | UnsetType = UNSET


class SubscriptionPart(Part):
    name: str
    action: str
    trigger: str
    enabled: bool | UnsetType = UNSET
    mapping: Json | None = None
    """The action's default mapping unless given."""


class FilterPart(Part):
    title: str
    condition: str = msgspec.field(name="if")
    actions: list[Json]
    description: str | None = None
    enabled: bool | UnsetType = UNSET


class DestinationPart(Part):
    name: str
    source: str
    """Slug of the source."""
    type: str | None = None
    """Slug in the catalogue of destinations."""
    function: str | None = None
    """Or the name of a destination function."""
    deployed: bool = True
    """Of a destination function: False leaves alone the version that runs."""
    enabled: bool | UnsetType = UNSET
    settings: Json = msgspec.field(default_factory=dict)
    delivery: Delivery | UnsetType = UNSET
    subscriptions: list[SubscriptionPart] | UnsetType = UNSET
    filters: list[FilterPart] | UnsetType = UNSET
    insert_function: InsertedPart | UnsetType | None = UNSET


class Document(Part):
    workspace: WorkspacePart | UnsetType = UNSET
    labels: list[LabelPart] | UnsetType = UNSET
    functions: list[FunctionPart] | UnsetType = UNSET
    sources: list[SourcePart] | UnsetType = UNSET
    destinations: list[DestinationPart] | UnsetType = UNSET
    tracking_plans: list[TrackingPlanPart] | UnsetType = UNSET
    warehouses: list[WarehousePart] | UnsetType = UNSET
    alerts: list[AlertPart] | UnsetType = UNSET
    people: list[PersonPart] | UnsetType = UNSET
    groups: list[GroupPart] | UnsetType = UNSET


DEEPEST = 200
"""Levels of a document."""
MOST_MORE = 10_000
"""Values that aliases may make of a document, beyond one for each of its characters."""
LINE_ENDS = re.compile("[\r\x85\u2028\u2029]")


def parse(text: str) -> Document:
    """Raises `Invalid` with the path of what is wrong, or the line where it is no YAML."""
    try:
        value = yaml.load(text, Loader=_Loader)  # noqa: S506  (a SafeLoader)
    except yaml.YAMLError as error:
        raise Invalid(f"this is not YAML: {' '.join(str(error).split())}") from error
    except (RecursionError, ValueError) as error:
        raise Invalid(f"this YAML can't be read: {error}") from error
    _check_values(value, len(text) + MOST_MORE)
    return from_value(Document, {} if value is None else value)


def _check_values(document: Any, most: int) -> None:
    """Raises `Invalid` for what is not JSON: values of other types, and what aliases make endless or huge."""
    waiting = [(document, 0)]
    while waiting:
        value, depth = waiting.pop()
        most -= 1
        if depth > DEEPEST or most < 0:
            raise Invalid("this YAML is nested too deeply, or its aliases make too much of it")
        if isinstance(value, dict):
            waiting += ((each, depth + 1) for pair in value.items() for each in pair)
        elif isinstance(value, list):
            waiting += ((each, depth + 1) for each in value)
        elif isinstance(value, float) and not math.isfinite(value):
            raise Invalid("this YAML has a number that is too large")
        elif not isinstance(value, str | int | float | None):
            raise Invalid(f"this YAML has a {type(value).__name__}, {value!r:.80}; write it as a text")


def export_workspace(session: Session, workspace_id: str) -> str:
    """The workspace as YAML, in an order that depends on nothing but its content."""
    workspace = session.get_one(Workspace, workspace_id)
    sources = session.scalars(
        select(Source).where(Source.workspace_id == workspace_id).order_by(Source.slug)
    ).all()
    forwarded_to = forwarding_of(session, workspace_id)
    document = Document(
        workspace=WorkspacePart(
            name=workspace.name,
            audit_forwarding=session.get_one(Source, forwarded_to).slug if forwarded_to else None,
        ),
        labels=label_parts(session, workspace_id),
        functions=function_parts(session, workspace_id),
        sources=[source_part(session, source) for source in sources],
        destinations=[
            destination_part(session, destination)
            for source in sources
            for destination in sorted(source.destinations, key=lambda each: each.name)
        ],
        tracking_plans=tracking_plan_parts(session, workspace_id),
        warehouses=warehouse_parts(session, workspace_id),
        alerts=alert_parts(session, workspace_id),
        people=person_parts(session, workspace_id),
        groups=group_parts(session, workspace_id),
    )
    return yaml.dump(
        msgspec.to_builtins(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
    )


def source_part(session: Session, source: Source) -> SourcePart:
    function = name_of_function(session, "SOURCE", source.kind)
    return SourcePart(
        slug=source.slug,
        type=None if function else source.kind,
        function=function,
        deployed=not is_held(session, source),
        name=source.name,
        enabled=source.enabled,
        write_keys=sorted(key.key for key in source.write_keys),
        settings=written(source.settings, source.secrets, source.slug) if function else source.settings,
        labels=msgspec.convert(source.labels, list[LabelPart]),
        rate_limit=source.rate_limit,
        schema=schema_part(session, source),
        schema_events=schema_event_parts(session, source),
        transformations=transformation_parts(session, source),
        insert_function=inserted_part(session, source),
        edge_functions=edge_functions_part(session, source),
        models=model_parts(session, source),
    )


def destination_part(session: Session, destination: Destination) -> DestinationPart:
    function = name_of_function(session, "DESTINATION", destination.definition)
    shown = delivery.shown(destination.delivery)
    return DestinationPart(
        name=destination.name,
        source=destination.source.slug,
        type=None if function else destination.definition,
        function=function,
        deployed=not is_held(session, destination),
        enabled=destination.enabled,
        settings=written(
            destination.settings, destination.secrets, destination.source.slug, destination.name
        ),
        delivery=msgspec.convert(shown, Delivery) if shown else UNSET,
        subscriptions=sorted(
            map(subscription_part, destination.subscriptions), key=canonical(lambda part: part.name)
        ),
        filters=sorted(map(filter_part, destination.filters), key=canonical(lambda part: part.title)),
        insert_function=inserted_part(session, destination),
    )


def subscription_part(subscription: Subscription) -> SubscriptionPart:
    return SubscriptionPart(
        name=subscription.name,
        action=subscription.action,
        trigger=subscription.trigger,
        enabled=subscription.enabled,
        mapping=subscription.mapping,
    )


def filter_part(filter: Filter) -> FilterPart:
    return FilterPart(
        title=filter.title,
        description=filter.description,
        condition=filter.condition,
        actions=filter.actions,
        enabled=filter.enabled,
    )


def inline(value: Any) -> str:
    """A value on one line, as it would stand in a document."""
    written = yaml.dump(value, Dumper=_Line, default_flow_style=True, allow_unicode=True, width=10**9)
    return str(written).removesuffix("\n").removesuffix("\n...")


_SCALARS: tuple[tuple[str, str, str], ...] = (
    ("null", r"^(?:null|~|)$", "n~"),
    ("bool", r"^(?:true|false)$", "tf"),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
)


class _Loader(yaml.CSafeLoader):
    """Refuses a key that stands twice in one mapping, or is no text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be a text", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands here twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """Indents lists, and writes texts of several lines as blocks."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # What some readers take for the end of a line stands in quotes, escaped.
    style = '"' if LINE_ENDS.search(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


class _Line(_Dumper):
    """Never a block."""


_Line.add_representer(str, yaml.SafeDumper.represent_str)
_Loader.yaml_implicit_resolvers = {}
# YAML 1.1 would read 010 as eight.
_Loader.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(node.value))
# The writer keeps YAML 1.1's too, and so quotes what either of them would not take for a text.
for _kind in (_Loader, _Dumper, _Line):
    for _name, _pattern, _starts in _SCALARS:
        starts = [*_starts, ""] if _name == "null" else list(_starts)
        _kind.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(_pattern), starts)
