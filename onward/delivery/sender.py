"""One batch into one request, and the answer into one outcome for each item.

Whatever an action does, the engine gets outcomes: an exception that is not an outcome is a fault of one
payload or of the action's code, so a batch is halved until the payload that causes it stands alone and is
discarded as `INTERNAL`; its neighbours are delivered.
"""

import asyncio

import msgspec
import structlog

from onward.delivery.item import Batch
from onward.destinations.definition import Call
from onward.destinations.outcome import Outcome, discarded, retry

log = structlog.get_logger()

GRACE = 5.0
"""Seconds that an action may take beyond the timeout that it was told to keep."""


async def send(batch: Batch, call: Call) -> Outcome | list[Outcome]:
    """One outcome for all items, or one for each in their order. Never raises."""
    items = batch.items
    action = items[0].target.action
    try:
        async with asyncio.timeout(patience := max(call.timeout, action.timeout or 0) + GRACE):
            outcome = await action.perform(call, [item.payload for item in items])
    except TimeoutError:
        return retry("ETIMEDOUT", f"no answer within {patience - GRACE:g} s")
    except Exception as error:
        if len(items) == 1:
            log.exception("action failed", action=action.slug, destination=call.destination_id)
            return discarded("INTERNAL", f"{type(error).__name__}: {error}")
        middle = len(items) // 2
        outcomes: list[Outcome] = []
        for half in (items[:middle], items[middle:]):
            part = msgspec.structs.replace(call, events=[item.seen for item in half])
            outcomes += each(len(half), await send(Batch(half), part))
        return outcomes
    if isinstance(outcome, list) and len(outcome) != len(items):
        return discarded(
            "INTERNAL", f"{action.slug} answered {len(outcome)} outcomes for {len(items)} payloads"
        )
    return outcome


def each(count: int, outcome: Outcome | list[Outcome]) -> list[Outcome]:
    return outcome if isinstance(outcome, list) else [outcome] * count
