"""Destination filters (spec §6.3): which events a destination gets, and with which properties.

All conditions are asked about the event as it came to the filters. Then the actions of the filters that
match are applied by kind, whatever the order of the filters: Sample, Drop, Drop Properties, Allow
Properties (spec §22.7).

Filters protect personal data, so they fail closed: where a filter can't be compiled or its condition has
no answer, the event is dropped. The event given is never changed: other destinations read the same one.
"""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Protocol

import msgspec

from onward.pipeline import fql
from onward.pipeline.fql.path import resolve, split
from onward.pipeline.properties import Edit, allowing, dropping
from onward.pipeline.sampling import fraction
from onward.pipeline.types import Event
from onward.pipeline.verdict import Stopped

FILTERED = "FILTERED_BY_RULES"
"""Discard code of every event that a filter stops (spec §12.4)."""

ACTIONS = ("DROP", "SAMPLE", "DROP_PROPERTIES", "ALLOW_PROPERTIES")

MAX_SEGMENTS = 100
"""Names in the path of an action."""

MATCH_ALL = "all"
"""The condition that every event meets."""


class FilterSpec(Protocol):
    """What is read of a filter; the workspace's `Filter` is one."""

    @property
    def id(self) -> str: ...
    @property
    def condition(self) -> str: ...
    @property
    def actions(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def enabled(self) -> bool: ...


class Sample(msgspec.Struct, frozen=True):
    fraction: float
    """Share of the events that is kept, 0 to 1 (spec §22.40)."""
    path: tuple[str, ...]
    """Events with the same value here share their fate; () for chance."""

    def keeps(self, event: Event, rng: Random) -> bool:
        if self.fraction <= 0.0:
            return False
        if self.fraction >= 1.0:
            return True
        if not self.path:
            return rng.random() < self.fraction
        return fraction(resolve(event, self.path)) < self.fraction


class ActionError(ValueError):
    """An action object that means nothing; the message says what is wrong with it."""


class Rule(msgspec.Struct, frozen=True):
    """One enabled filter, compiled."""

    id: str
    matches: fql.Predicate
    """Asked once per event."""
    samples: tuple[Sample, ...]
    drops: bool
    drop_properties: tuple[Edit, ...]
    allow_properties: tuple[Edit, ...]
    stopped: Stopped
    """What an event that this filter stops is told."""


class Step(msgspec.Struct, frozen=True):
    """What one filter did to one event, for testers and traces."""

    filter_id: str
    matched: bool
    effect: str
    """"none", "dropped", "sampled out", "changed" or "failed"."""
    message: str = ""


class Filters:
    """The filters of one destination. Call it with an event: the event that goes on, or why none does."""

    def __init__(self, specs: Sequence[FilterSpec]) -> None:
        self._rules: list[Rule] = []
        self._broken: Stopped | None = None
        for spec in specs:
            if spec.enabled:
                try:
                    self._rules.append(compile_rule(spec))
                except Exception as error:
                    message = f"filter {spec.id} is not valid, so it stops everything: {error}"
                    self._broken = self._broken or Stopped(FILTERED, filter_id=spec.id, message=message)

    def __call__(self, event: Event, rng: Random) -> Event | Stopped:
        if self._broken is not None:
            return self._broken
        matched: list[Rule] = []
        for rule in self._rules:
            try:
                if rule.matches(event):
                    matched.append(rule)
            except Exception as error:
                return _failure(rule, error)
        return _apply(matched, event, rng) if matched else event

    def steps(self, event: Event, rng: Random) -> list[Step]:
        """Each filter's part in what calling this does, in the order of the filters."""
        if self._broken is not None:
            return [Step(self._broken.filter_id or "", False, "failed", self._broken.message)]
        steps: list[Step] = []
        for rule in self._rules:
            try:
                matched = rule.matches(event)
            except Exception as error:
                steps.append(Step(rule.id, False, "failed", _failure(rule, error).message))
                continue
            steps.append(Step(rule.id, matched, _effect(rule, event, rng) if matched else "none"))
        return steps


def compile_rule(spec: FilterSpec) -> Rule:
    """Raises `FqlError` or `ActionError` if the filter is not valid."""
    matches = _always if spec.condition.strip() == MATCH_ALL else fql.compile(spec.condition)
    samples: list[Sample] = []
    drop: list[Edit] = []
    allow: list[Edit] = []
    drops = False
    for action in spec.actions:
        match action.get("type"):
            case "DROP":
                drops = True
            case "SAMPLE":
                samples.append(_sample(action))
            case "DROP_PROPERTIES":
                drop.append(dropping(_fields(action)))
            case "ALLOW_PROPERTIES":
                allow.append(allowing(_fields(action)))
            case other:
                raise ActionError(f"there is no action {other!r}; there are {', '.join(ACTIONS)}")
    stopped = Stopped(FILTERED, filter_id=spec.id)
    return Rule(spec.id, matches, tuple(samples), drops, tuple(drop), tuple(allow), stopped)


def _apply(matched: list[Rule], event: Event, rng: Random) -> Event | Stopped:
    try:
        for rule in matched:
            for sample in rule.samples:
                if not sample.keeps(event, rng):
                    return rule.stopped
        for rule in matched:
            if rule.drops:
                return rule.stopped
        for rule in matched:
            for edit in rule.drop_properties:
                event = edit(event)
        for rule in matched:
            for edit in rule.allow_properties:
                event = edit(event)
    except Exception as error:
        return _failure(rule, error)
    return event


def _effect(rule: Rule, event: Event, rng: Random) -> str:
    result = _apply([rule], event, rng)
    if isinstance(result, Stopped):
        return "failed" if result.message else "dropped" if rule.drops else "sampled out"
    return "none" if result is event else "changed"


def _failure(rule: Rule, error: Exception) -> Stopped:
    reason = str(error) or type(error).__name__
    return Stopped(FILTERED, filter_id=rule.id, message=f"filter {rule.id} failed on this event: {reason}")


def _always(event: Event) -> bool:
    return True


def _sample(action: Mapping[str, Any]) -> Sample:
    percent = action.get("percent")
    if not isinstance(percent, int | float) or isinstance(percent, bool) or not 0 <= percent <= 1:
        raise ActionError(f"SAMPLE needs a percent from 0 to 1, the fraction to keep, not {percent!r}")
    path = action.get("path") or ""
    if type(path) is not str:
        raise ActionError(f"the path of SAMPLE must be a string such as 'userId', not {path!r}")
    return Sample(float(percent), split(path))


def _fields(action: Mapping[str, Any]) -> dict[str, list[str]]:
    kind, fields = action["type"], action.get("fields")
    if not isinstance(fields, dict) or not fields:
        raise ActionError(f'{kind} needs fields, such as {{"context.device": ["id"], "": ["userId"]}}')
    for path, keys in fields.items():
        if not isinstance(keys, list) or not all(type(key) is str for key in keys):
            raise ActionError(f"{kind} needs a list of names for {path!r}, not {keys!r}")
        if path and not all(split(path)):
            raise ActionError(f"{kind} has a path with an empty name in it: {path!r}")
        if len(split(path)) > MAX_SEGMENTS:
            raise ActionError(f"{kind} has a path of more than {MAX_SEGMENTS} names")
    return fields
