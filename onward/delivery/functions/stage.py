"""Items on their way through the insert function: which go on with a payload, which end here, which wait.

State: none. What the caller holds is in the log or the store until it has an outcome.
"""

from collections.abc import Mapping, Sequence

import msgspec

from onward.delivery.functions.host import Functions
from onward.delivery.functions.insertion import Inserted, insert
from onward.delivery.item import Item
from onward.delivery.plan import Plan
from onward.destinations.outcome import Outcome, discarded
from onward.pipeline.types import Event


class Passed(msgspec.Struct):
    """What came of items, each in one of these."""

    made: list[Item] = []
    """With their payloads."""
    ended: list[tuple[Item, Outcome]] = []
    waiting: list[Item] = []
    """Nothing was attempted with them."""
    waits: Outcome | None = None
    """Why, and how long."""


async def pass_through(functions: Functions | None, plan: Plan, items: Sequence[Item]) -> Passed:
    """Call the function once for each event, also if several mappings take it; then map what it returned."""
    passed = Passed()
    came = await _insert(functions, plan, {id(item.event): item.event for item in items})
    for item in items:
        result = came[id(item.event)]
        if not isinstance(result, Outcome):
            problem = _map(plan, item, result)
            if problem is None:
                passed.made.append(item)
            else:
                passed.ended.append((item, problem))
        elif result.kind == "waits":
            passed.waiting.append(item)
            passed.waits = result
        else:
            passed.ended.append((item, result))
    return passed


async def _insert(
    functions: Functions | None, plan: Plan, events: Mapping[int, Event]
) -> Mapping[int, Inserted]:
    function = plan.destination.inserted
    if function is None:  # it was taken away meanwhile
        return events
    return dict(zip(events, await insert(functions, function, list(events.values())), strict=True))


def _map(plan: Plan, item: Item, event: Event) -> Outcome | None:
    """Make the item's payload; what became of it, if there is none."""
    mapped = plan.made_of(event, item.target.subscription_id)
    if mapped is None:
        return discarded("INVALID_SETTINGS", "the mapping has been removed")
    if mapped.problem is not None:
        return discarded(*mapped.problem)
    item.target = plan.target(item.target.subscription_id)
    item.payload, item.inserted = mapped.payload, mapped.event
    item.to_insert, item.remade = False, bool(item.parked_id)
    return None
