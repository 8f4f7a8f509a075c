"""Deletions at webhooks: Segment posts them as events of the type `delete` (spec §13.1, §16.1).

Where to is what the mappings say. Each address gets the event once, whole, whatever the mapping makes of
other events: a receiver has to be able to tell what it is.
"""

from onward.destinations.definition import Call
from onward.destinations.outcome import DELIVERED, Outcome, discarded
from onward.destinations.webhook.send import perform
from onward.pipeline import mapping
from onward.pipeline.types import Json

WHERE = ("url", "method", "headers")


async def forget(call: Call, user_id: str | None, anonymous_id: str | None) -> Outcome:
    """The first outcome that is none of success, if there is one."""
    event = call.events[0]
    addresses: list[Json] = []
    for subscription in call.subscriptions:
        rules = {name: subscription.mapping[name] for name in WHERE if name in subscription.mapping}
        address = mapping.compile(rules)(event)
        if address not in addresses:
            addresses.append(address)
    if not addresses:
        return discarded("INVALID_SETTINGS", "no mapping is enabled, so there is no address to tell")
    worst = DELIVERED
    for address in addresses:
        told = await perform(call, [{"method": "POST", **address, "data": event}])
        outcome = told[0] if isinstance(told, list) else told
        if outcome.kind == "retry" or (outcome.kind == "discarded" and worst is DELIVERED):
            worst = outcome
    return worst
