"""The insert function: events on their way from a destination's triggers to its mappings (spec §2, §10.8).

It gets each event once, however many mappings the event met, and what it returns takes the event's place. One
with `onBatch` gets those that are at hand together; nothing waits for that.
"""

from collections.abc import Sequence

from onward.delivery.functions.host import BATCH, Deployed, Functions
from onward.delivery.functions.outcomes import LOCKED_OUT, handler_of, of_insertion, unsupported
from onward.delivery.functions.trace import RunTrace
from onward.destinations.outcome import Outcome, waits
from onward.functions.errors import Ending
from onward.functions.inserted import Came, of_event, of_events
from onward.functions.invocation import Invocation
from onward.pipeline.types import Event
from onward.workspace.snapshot import DeployedFunction

Inserted = Event | Outcome
"""What became of an event: one in its place, or why there is none."""


async def insert(
    functions: Functions | None, function: DeployedFunction, events: Sequence[Event]
) -> list[Inserted]:
    """One for each event, in their order. Never raises."""
    deployed = None if functions is None else await functions.deployed(function.instance)
    if functions is None or deployed is None:
        return [waits("too_many_requests", "the insert function is not deployed", 1.0)] * len(events)
    if functions.locked_out(deployed):
        return [LOCKED_OUT] * len(events)
    if deployed.batches and len(events) > 1:
        return await _batches(functions, deployed, events)
    return await _each(functions, deployed, events)


async def _batches(functions: Functions, deployed: Deployed, events: Sequence[Event]) -> list[Inserted]:
    found: list[Inserted] = []
    size = deployed.function.batch_max_count
    for start in range(0, len(events), size):
        part = events[start : start + size]
        made = await functions.call_batch(deployed, part)
        found += [_of(each, deployed, BATCH, made, len(part)) for each in of_events(made, part)]
    return found


async def _each(functions: Functions, deployed: Deployed, events: Sequence[Event]) -> list[Inserted]:
    found: list[Inserted | None] = [None] * len(events)
    calls = []
    for at, event in enumerate(events):
        if deployed.has(handler_of(event)) is False and not deployed.batches:
            found[at] = of_insertion(unsupported(event))
        else:
            calls.append(at)
    if calls:
        made = await _call(functions, deployed, [events[at] for at in calls])
        for at, (handler, each, came) in zip(calls, made, strict=True):
            found[at] = _of(came, deployed, handler, each)
    return [each for each in found if each is not None]


async def _call(
    functions: Functions, deployed: Deployed, events: Sequence[Event]
) -> list[tuple[str, Invocation, Came]]:
    """Handler, invocation and what came of it. A type without a handler of its own goes to `onBatch`."""
    alone = [event for event in events if deployed.has(handler_of(event)) is not False]
    calls = [(handler_of(event), event) for event in alone]
    made = iter(await functions.call_each(deployed, calls) if calls else [])
    came: list[tuple[str, Invocation, Came]] = []
    for event in events:
        if deployed.has(handler_of(event)) is not False:
            each = next(made)
            came.append((handler_of(event), each, of_event(each)))
        else:
            each = await functions.call_batch(deployed, [event])
            came.append((BATCH, each, of_events(each, [event])[0]))
    return came


def _of(came: Came, deployed: Deployed, handler: str, made: Invocation, events: int = 1) -> Inserted:
    if not isinstance(came, Ending):
        return came
    trace = RunTrace(deployed.function, handler, made, deployed.masking, events, came)
    return of_insertion(came, deployed.masking, trace)
