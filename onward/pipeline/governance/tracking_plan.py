"""A tracking plan made ready to run: which rule an event falls under, and which of its fields are planned.

Schemas are compiled when the first event falls under them: a plan may have thousands.

* A rule is found by kind and key; names are case-sensitive (spec §5). Of several versions, the one that
  `context.protocols.event_version` names, else the oldest (Segment: "Tracking Plan Event Versioning").
* What a plan knows of properties or traits is what its schema declares, level by level. An object, or a
  list's items, of which it declares nothing may hold anything.
"""

import operator
from functools import cached_property
from typing import Any, NamedTuple

from onward.pipeline.governance.json_schema import Schema
from onward.pipeline.governance.paths import fields_of
from onward.pipeline.governance.spec import Rule, TrackingPlan
from onward.pipeline.types import Event


class Known(NamedTuple):
    """What is declared of an object, or of the objects in a list."""

    names: frozenset[str]
    deeper: dict[str, "Known"]
    """What is declared below those names of which anything is."""


NOTHING = Known(frozenset(), {})

KINDS = {"track": "TRACK", "identify": "IDENTIFY", "group": "GROUP", "page": "PAGE", "screen": "SCREEN"}


class PlannedRule:
    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._root = "traits" if rule.kind in ("IDENTIFY", "GROUP") else "properties"

    @cached_property
    def schema(self) -> Schema:
        """Raises `SchemaError`; the workspace stores none that does."""
        return Schema(True if self.rule.schema is None else self.rule.schema)

    @cached_property
    def known(self) -> Known:
        """What the schema declares of properties or traits."""
        schema = self.rule.schema
        declared = schema.get("properties") if isinstance(schema, dict) else None
        fields = declared.get(self._root) if isinstance(declared, dict) else None
        return _known(fields)


class Plan:
    def __init__(self, plan: TrackingPlan) -> None:
        self.id = plan.id
        self.name = plan.name
        self.common: PlannedRule | None = None
        self._rules: dict[tuple[str, str], list[PlannedRule]] = {}
        for rule in sorted(plan.rules, key=lambda rule: rule.version):
            if rule.kind == "COMMON":
                self.common = self.common or PlannedRule(rule)
            else:
                self._rules.setdefault((rule.kind, rule.key), []).append(PlannedRule(rule))

    @property
    def track_events(self) -> list[str]:
        """Names of the planned track calls."""
        return [key for kind, key in self._rules if kind == "TRACK"]

    def rule_of(self, event: Event) -> PlannedRule | None:
        kind = KINDS.get(event["type"])
        if kind is None:
            return None
        name = event.get("event" if kind == "TRACK" else "name") if kind not in ("IDENTIFY", "GROUP") else ""
        versions = self._rules.get((kind, name)) if type(name) is str else None
        if versions is None and kind != "TRACK":
            versions = self._rules.get((kind, ""))
        if versions is None:
            return None
        if len(versions) > 1:
            asked = _asked_version(event)
            for each in versions:
                if each.rule.version == asked:
                    return each
        return versions[0]


def unplanned(event: Event, rule: PlannedRule | None) -> tuple[Event, list[str]]:
    """The event without the properties or traits that its rule does not know, and their paths."""
    root = fields_of(event["type"])
    fields = event.get(root)
    if type(fields) is not dict or not fields:
        return event, []
    left_out: list[str] = []
    kept = _planned(fields, rule.known if rule is not None else NOTHING, "", left_out)
    return ({**event, root: kept}, left_out) if left_out else (event, [])


def _known(schema: Any) -> Known:
    if not isinstance(schema, dict):
        return NOTHING
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        items = schema.get("items")
        return _known(items) if isinstance(items, dict) else NOTHING
    deeper = {name: found for name, inner in properties.items() if (found := _known(inner)).names}
    return Known(frozenset(properties), deeper)


def _planned(value: Any, known: Known, path: str, left_out: list[str]) -> Any:
    """`value` without what is not known, whose paths go to `left_out`; itself if there is nothing of that."""
    if type(value) is list:
        items = [_planned(item, known, path, left_out) for item in value]
        return value if all(map(operator.is_, items, value)) else items
    if type(value) is not dict:
        return value
    kept = value
    if not value.keys() <= known.names:
        for name in value:
            if name not in known.names and (place := path + name) not in left_out:
                left_out.append(place)
        kept = {name: item for name, item in value.items() if name in known.names}
    for name, below in known.deeper.items():
        if name in kept:
            item = _planned(kept[name], below, f"{path}{name}.", left_out)
            if item is not kept[name]:
                kept = {**kept, name: item}
    return kept


def _asked_version(event: Event) -> Any:
    context = event.get("context")
    protocols = context.get("protocols") if type(context) is dict else None
    version = protocols.get("event_version") if type(protocols) is dict else None
    return version if type(version) is int else None
