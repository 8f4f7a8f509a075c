"""A tracking plan made ready to run: which rule an event falls under, and which of its fields are planned.

Schemas are compiled when the first event falls under them: a plan may have thousands.

* A rule is found by kind and key; names are case-sensitive (spec §5). Of several versions, the one that
  `context.protocols.event_version` names, else the oldest (Segment: "Tracking Plan Event Versioning").
* What a plan knows of properties or traits is what its schema declares, level by level. An object, or a
  list's items, of which it declares nothing may hold anything.
"""

from functools import cached_property
from typing import Any

from onward.pipeline.governance.json_schema import Schema
from onward.pipeline.governance.paths import fields_of
from onward.pipeline.governance.spec import Rule, TrackingPlan
from onward.pipeline.types import Event

Known = dict[str, "Known"]
"""Declared names, each with what is declared below it; nothing for "anything"."""

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
    kept = _planned(fields, rule.known if rule is not None else {}, "", left_out, top=True)
    return ({**event, root: kept}, left_out) if left_out else (event, [])


def _known(schema: Any) -> Known:
    found: Known = {}
    if isinstance(schema, dict):
        properties = schema.get("properties")
        if isinstance(properties, dict):
            found = {name: _known(inner) for name, inner in properties.items()}
        elif isinstance(items := schema.get("items"), dict):
            found = _known(items)
    return found


def _planned(value: Any, known: Known, path: str, left_out: list[str], *, top: bool = False) -> Any:
    """`value` without what is not known; itself if there is nothing of that."""
    if not known and not top:
        return value
    if type(value) is list:
        kept_items = [_planned(item, known, path, left_out) for item in value]
        return value if all(a is b for a, b in zip(kept_items, value, strict=True)) else kept_items
    if type(value) is not dict:
        return value
    kept: dict[str, Any] = {}
    changed = False
    for name, item in value.items():
        place = f"{path}.{name}" if path else name
        if name in known:
            kept[name] = _planned(item, known[name], place, left_out)
            changed = changed or kept[name] is not item
        else:
            changed = True
            if place not in left_out:
                left_out.append(place)
    return kept if changed else value


def _asked_version(event: Event) -> Any:
    context = event.get("context")
    protocols = context.get("protocols") if type(context) is dict else None
    version = protocols.get("event_version") if type(protocols) is dict else None
    return version if type(version) is int else None
