"""Which step of the road to a destination would do what with an event. No mapping sends anything.

Only the insert function, if there is one to call, does what it does in deliveries, its requests included.
"""

import asyncio
from random import SystemRandom
from typing import Any

import msgspec

from onward.destinations.tester import (
    Instance,
    Problem,
    Result,
    Shape,
    Stop,
    inserted,
    map_event,
    remapped,
    shown,
)
from onward.pipeline import explain
from onward.pipeline.types import Event
from onward.workspace.snapshot import Subscription

EDITING = ("filters", "transformations")
"""Steps that change the event."""


class Step(Shape, frozen=True):
    """One step of an event's way; see `onward.pipeline.explain.Step`."""

    stage: str
    passed: bool
    id: str
    """Of a filter or a subscription; empty for steps that sum up."""
    name: str
    code: str
    message: str
    output: Any = None
    """The event after the filters, or after the transformations."""


class Preview(Shape, frozen=True):
    enabled: bool
    """Whether the destination is: without that nothing is delivered, whatever the steps say."""
    stopped: Stop | None
    """None if at least one trigger is met."""
    steps: list[Step]
    results: list[Result]
    """Of the mappings whose trigger is met."""


class _Way(msgspec.Struct):
    """An event on its way to the insert function."""

    event: Event
    steps: list[Step]
    stopped: Stop | None
    met: list[Subscription]
    """Whose triggers the event meets."""


async def preview(instance: Instance, event: Event) -> Preview:
    way = await asyncio.to_thread(_to_triggers, instance, event)
    came = await inserted(instance, way.event) if way.met else way.event
    return await asyncio.to_thread(_from_triggers, instance, way, came)


def _to_triggers(instance: Instance, event: Event) -> _Way:
    subscriptions = instance.destination.subscriptions
    titles = {each.id: each.title for each in instance.destination.filters}
    way = _Way(event, [], None, [])
    for step in explain.explain(instance.route(subscriptions, filters=True), event, SystemRandom()):
        if step.stage == "mapping":  # is met; what it makes is told after the insert function
            way.met.append(subscriptions[int(step.id)])
            continue
        if step.stage in EDITING and step.passed:
            way.event = step.output
        if step.stage not in ("filter", "trigger") and not step.passed:
            way.stopped = Stop(code=step.code, message=step.message, filter_id=step.id or None)
        of = subscriptions[int(step.id)] if step.stage == "trigger" else None
        way.steps.append(
            Step(
                stage=step.stage,
                passed=step.passed,
                id=of.id if of else step.id,
                name=of.name if of else titles.get(step.id, ""),
                code=step.code,
                message=step.message,
                output=step.output if step.stage in EDITING else None,
            )
        )
    return way


def _from_triggers(instance: Instance, way: _Way, came: Event | Problem) -> Preview:
    function = instance.destination.inserted
    if way.met and instance.insert is not None and function is not None:
        way.steps.append(_insert_step(instance, function.name, came))
    if isinstance(came, Problem):
        way.stopped = Stop(code=came.code, message=came.message, filter_id=None)
    results = []
    for each in way.met:
        result = remapped(instance, each, map_event(instance, each, way.event), came)
        results.append(shown(instance, result))
        if not isinstance(came, Problem):
            why = result.problem or Problem(code="", message="", fields=[])
            passed = result.problem is None
            way.steps.append(
                Step(
                    stage="mapping",
                    passed=passed,
                    id=each.id,
                    name=each.name,
                    code=why.code,
                    message=instance.masking().text(why.message),
                )
            )
    return Preview(
        enabled=instance.destination.enabled, stopped=way.stopped, steps=way.steps, results=results
    )


def _insert_step(instance: Instance, name: str, came: Event | Problem) -> Step:
    """The last that stands between triggers and mappings."""
    if isinstance(came, Problem):
        message = instance.masking().text(came.message)
        return Step(stage="insert", passed=False, id="", name=name, code=came.code, message=message)
    output = instance.masking().json(came)
    return Step(stage="insert", passed=True, id="", name=name, code="", message="", output=output)
