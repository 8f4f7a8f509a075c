"""What becomes of one event at its source: transformed, then judged by schema and tracking plan (spec §5).

    transformations → (the schema's toggles | the tracking plan: planned? its own rule? the common rule?)

An event is let through, perhaps changed, or blocked with one code of §12.4, once for all destinations. It is
told what was left out of it and what it violates in `context.protocols`, as Segment does it:

    {"sourceId": …, "omitted": […], "omitted_on_violation": […], "violations": [{"type", "field", …}]}

Pure: the event given is never changed, and the answer depends on nothing else.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from onward.pipeline.governance.json_schema import Violation
from onward.pipeline.governance.paths import fields_of, leave_out, without
from onward.pipeline.governance.spec import Controls, Governance, SchemaEvent
from onward.pipeline.governance.tracking_plan import KINDS, Plan, PlannedRule, unplanned
from onward.pipeline.governance.transformations import EventDropped, TransformationError, Transformations
from onward.pipeline.types import Event

UNPLANNED: Final = "unplanned"
SCHEMA_VIOLATION: Final = "schema_violation"
UNPLANNED_AND_VIOLATION: Final = "unplanned_and_schema_violation"
COMMON_VIOLATION: Final = "common_schema_violation"
EVENT_SETTING: Final = "event_setting"
TRANSFORMATION: Final = "dropped_by_transformation"
"""Ours: Segment documents no code for it."""
INSERT_FUNCTION: Final = "dropped_by_insert_function"
"""Ours; Segment says it in words."""
FILTERED_AT_SOURCE: Final = frozenset(
    {
        UNPLANNED,
        SCHEMA_VIOLATION,
        UNPLANNED_AND_VIOLATION,
        COMMON_VIOLATION,
        EVENT_SETTING,
        TRANSFORMATION,
        INSERT_FUNCTION,
    }
)
"""The codes of what is blocked by rule, or by a function (spec §12.4)."""

INTERNAL: Final = "internal"
"""A transformation could not be done to the event: it might hold what the rule was to take out of it."""

NO_CONTROLS = Controls()


class Judgement(msgspec.Struct, frozen=True, gc=False):
    event: Event
    """The one given, itself, if nothing was changed; for a blocked one as it was when it was blocked."""
    code: str | None = None
    """Why it is blocked."""
    violations: tuple[Violation, ...] = ()
    message: str = ""
    """What there is to say beyond the code."""


class Governor:
    """Call it with a complete event (`onward.pipeline.normalise`). Raises `TransformationError` when made."""

    def __init__(self, source_id: str, spec: Governance) -> None:
        self.spec = spec
        self.plan = Plan(spec.plan) if spec.plan is not None else None
        self._source_id = source_id
        self._transform = Transformations(spec.transformations) if spec.transformations else None
        self._toggles: dict[tuple[str, str], SchemaEvent] = {
            (each.kind, each.name): each for each in spec.events
        }
        self._controls = {"track": spec.track, "identify": spec.identify, "group": spec.group}

    def concerns(self, event: Event, event_type: str) -> bool:
        """Whether a rule may bear on an event, which need not be complete yet."""
        if self.plan is not None or self._transform is not None:
            return True
        return self._toggles_of(event, event_type) is not None

    def __call__(self, event: Event) -> Judgement:
        if self._transform is not None:
            try:
                event = self._transform(event)
            except EventDropped as dropped:
                return Judgement(event, TRANSFORMATION, message=str(dropped))
            except TransformationError as error:
                return Judgement(event, INTERNAL, message=str(error))
        toggles = self._toggles_of(event, event["type"]) if self._toggles else None
        if self.plan is None and toggles is not None and not toggles.enabled:
            return Judgement(event, EVENT_SETTING)
        omitted: list[str] = []
        if toggles is not None and toggles.omitted:
            root = fields_of(event["type"])
            omitted += [name for name in toggles.omitted if name in (event.get(root) or ())]
            event = leave_out(event, root, toggles.omitted)
        if self.plan is not None:
            return self._planned(event, self.plan, omitted)
        return Judgement(self._told(event, omitted, (), ()) if omitted else event)

    def _planned(self, event: Event, plan: Plan, omitted: list[str]) -> Judgement:
        kind = event["type"]
        controls = self._controls.get(kind, NO_CONTROLS)
        rule = plan.rule_of(event)
        if rule is None and kind == "track" and not controls.allow_unplanned_events:
            violations = _violations(plan.common, event)
            code = UNPLANNED_AND_VIOLATION if violations else UNPLANNED
            return self._blocked(event, code, violations)
        if not controls.allow_unplanned_fields:
            event, names = unplanned(event, rule)
            omitted += names
        violations = _violations(rule, event)
        if violations and not controls.allow_events_on_violations:
            return self._blocked(event, SCHEMA_VIOLATION, violations)
        on_violation: list[str] = []
        if violations and not controls.allow_fields_on_violations:
            event = _relieved(event, violations, on_violation)
        if common := _violations(plan.common, event):
            violations = (*violations, *(each for each in common if each not in violations))
            if controls.on_common_violation == "BLOCK":
                return self._blocked(event, COMMON_VIOLATION, violations)
            if controls.on_common_violation == "OMIT":
                event = _relieved(event, common, on_violation)
        if omitted or violations:
            event = self._told(event, omitted, on_violation, violations)
        return Judgement(event, None, violations)

    def _blocked(self, event: Event, code: str, violations: tuple[Violation, ...]) -> Judgement:
        message = "; ".join(each.description for each in violations)
        return Judgement(self._told(event, (), (), violations), code, violations, message)

    def _told(
        self,
        event: Event,
        omitted: Iterable[str],
        on_violation: Iterable[str],
        violations: Iterable[Violation],
    ) -> Event:
        """The event with what was done to it in `context.protocols`, beside what it says there itself."""
        told: dict[str, Any] = {"sourceId": self._source_id}
        if omitted:
            told["omitted"] = list(omitted)
        if on_violation:
            told["omitted_on_violation"] = list(on_violation)
        if violations:
            told["violations"] = [each.shown() for each in violations]
        context = event.get("context")
        context = context if type(context) is dict else {}
        own = context.get("protocols")
        return {**event, "context": {**context, "protocols": {**(own if type(own) is dict else {}), **told}}}

    def _toggles_of(self, event: Event, event_type: str) -> SchemaEvent | None:
        kind = KINDS.get(event_type, "")
        name = event.get("event") if kind == "TRACK" else ""
        return self._toggles.get((kind, name if type(name) is str else ""))


def _violations(rule: PlannedRule | None, event: Event) -> tuple[Violation, ...]:
    return tuple(rule.schema.violations(event)) if rule is not None else ()


def _relieved(event: Event, violations: Iterable[Violation], names: list[str]) -> Event:
    """The event without the properties or traits at fault; their paths go to `names`.

    What is wrong inside a list takes the property that holds the list. What is missing can't be left out.
    """
    root = fields_of(event["type"])
    for violation in violations:
        place = violation.place
        if len(place) < 2 or place[0] != root:
            continue
        members: list[str] = []
        for step in place[1:]:
            if type(step) is not str:
                break
            members.append(step)
        relieved = without(event, (root, *members))
        if relieved is not event:
            names.append(".".join(members))
            event = relieved
    return event
