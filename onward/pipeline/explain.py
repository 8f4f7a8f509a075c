"""Why an event did or did not reach a destination: each step's verdict, for testers and traces."""

from collections.abc import Callable
from random import Random
from typing import Any, Literal

import msgspec

from onward.pipeline.governance.transformations import EventDropped, TransformationError
from onward.pipeline.route import FILTERED_BY_RULES, Route
from onward.pipeline.sampling import MessageDice
from onward.pipeline.types import Event
from onward.pipeline.verdict import Stopped

Stage = Literal["admission", "filter", "filters", "transformations", "trigger", "triggers", "mapping"]


class Step(msgspec.Struct, frozen=True):
    stage: Stage
    """`filter` and `trigger` are single ones, which stop nothing by themselves; `filters` and `triggers`
    are what they amount to."""
    passed: bool
    """For a single filter or trigger: whether the event meets it."""
    id: str = ""
    """A filter's id, or a subscription's place in the route's spec."""
    code: str = ""
    """Of what stopped the event (spec §12.4)."""
    message: str = ""
    output: Any = None
    """The event after the filters and after the transformations, the payload after a mapping."""


def explain(route: Route, event: Event, rng: Random) -> list[Step]:
    """The steps that `route(event, rng)` takes, up to and including the one that stops the event."""
    stopped = route.admit(event)
    steps = [_step("admission", stopped)]
    if stopped is not None:
        return steps
    filtered = event
    again = _alike(rng)
    if route.filters is not None:
        # Dice that fall alike: for each filter's own account, and for their verdict.
        steps += [
            Step("filter", each.matched, each.filter_id, message=each.message or each.effect)
            for each in route.filters.steps(event, again())
        ]
        verdict = route.filters(event, again())
        if isinstance(verdict, Stopped):
            return [*steps, _step("filters", verdict)]
        filtered = verdict
        steps.append(Step("filters", True, output=filtered))
    if route.transform is not None:
        try:
            filtered = route.transform(filtered)
        except EventDropped as dropped:
            return [*steps, Step("transformations", False, code=FILTERED_BY_RULES, message=str(dropped))]
        except TransformationError as error:
            return [*steps, Step("transformations", False, code="INTERNAL", message=str(error))]
        steps.append(Step("transformations", True, output=filtered))
    steps += [Step("trigger", trigger(filtered), str(at)) for at, trigger in route.triggers]
    matched = route.match(event, again())
    if isinstance(matched, Stopped):
        return [*steps, _step("triggers", matched)]
    steps.append(Step("triggers", True))
    for mapped in route.map(*matched):
        code, message = mapped.problem or ("", "")
        payload = None if mapped.problem else mapped.payload
        steps.append(Step("mapping", not mapped.problem, str(mapped.subscription), code, message, payload))
    return steps


def _alike(rng: Random) -> Callable[[], Random]:
    """Makes dice that fall like each other; those of a message fall as they do on its way."""
    if isinstance(rng, MessageDice):
        return rng.again
    seed = rng.getrandbits(64)
    return lambda: Random(seed)  # noqa: S311


def _step(stage: Stage, stopped: Stopped | None) -> Step:
    if stopped is None:
        return Step(stage, True)
    return Step(stage, False, stopped.filter_id or "", str(stopped), stopped.message)
