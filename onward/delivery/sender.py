"""One batch into one request, and the answer into one outcome for each item.

Whatever an action does, the engine gets outcomes: an exception that is not an outcome is a fault of one
payload or of the action's code, so a batch is halved until the payload that causes it stands alone and is
discarded as `INTERNAL`; its neighbours are delivered. So is a batch that the tool finds too large (413): that
is no fault of any payload in it.
"""

import asyncio

import msgspec
import structlog

from onward.delivery.item import Batch, Item
from onward.destinations.definition import Call
from onward.destinations.outcome import Outcome, discarded, retry
from onward.egress.masking import Masking

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
        return await _in_halves(items, call)
    if isinstance(outcome, list) and len(outcome) != len(items):
        return discarded(
            "INTERNAL", f"{action.slug} answered {len(outcome)} outcomes for {len(items)} payloads"
        )
    if len(items) > 1 and all(map(_is_too_large, outcome if isinstance(outcome, list) else [outcome])):
        return await _in_halves(items, call)
    return outcome


async def _in_halves(items: list[Item], call: Call) -> list[Outcome]:
    middle = len(items) // 2
    outcomes: list[Outcome] = []
    for half in (items[:middle], items[middle:]):
        part = msgspec.structs.replace(call, events=[item.seen for item in half])
        outcomes += each(len(half), await send(Batch(half), part))
    return outcomes


def _is_too_large(outcome: Outcome) -> bool:
    return outcome.kind == "discarded" and outcome.code == "413"


def without_secrets(outcome: Outcome | list[Outcome], masking: Masking) -> Outcome | list[Outcome]:
    """With its messages as they may be kept: a tool may quote in its answer what it was sent."""
    messages = {each.message for each in (outcome if isinstance(outcome, list) else [outcome])}
    hidden = {message: masking.text(message) for message in messages}
    if hidden.keys() == set(hidden.values()):
        return outcome
    if isinstance(outcome, list):
        return [msgspec.structs.replace(each, message=hidden[each.message]) for each in outcome]
    return msgspec.structs.replace(outcome, message=hidden[outcome.message])


def each(count: int, outcome: Outcome | list[Outcome]) -> list[Outcome]:
    return outcome if isinstance(outcome, list) else [outcome] * count
