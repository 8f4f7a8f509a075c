"""A destination that is a function, as a definition: one action, which gets events as they are (spec §10.2).

With `onBatch`, events of all types wait for each other, up to the function's count, the policy's bytes and
its wait. A batch that came together more slowly than one event a second, so that it was full in no respect,
goes to the single handlers; types that have none go to `onBatch` all the same, so no event is discarded for
coming alone.
"""

from collections.abc import Sequence

import orjson

from onward.delivery.functions.host import BATCH, Deployed, Functions
from onward.delivery.functions.outcomes import LOCKED_OUT, handler_of, of_ending, unsupported
from onward.delivery.functions.trace import RunTrace
from onward.destinations.definition import Action, Call, Definition, Payload
from onward.destinations.outcome import DELIVERED, Outcome, discarded, retry, waits
from onward.functions.errors import Kind
from onward.functions.invocation import Invocation
from onward.workspace.snapshot import DeliveryPolicy, DeployedFunction, Destination

DELETE = "onDelete"
MAPPING = {"@path": "$."}
"""What comes to the function is the event."""
AT_ONCE = 32
"""Events that are handed to single handlers together; nothing waits for that."""
LONGEST = 900.0
"""Seconds for all of them; each has its own limit."""
SLOW = 1.0
"""Events a second under which a batch is not worth it (spec §10.4)."""


def definition_of(
    functions: Functions | None, destination: Destination, function: DeployedFunction
) -> Definition:
    """Without `functions` it is for looking at, and runs nothing."""
    policy = destination.policy
    runs = FunctionDelivery(functions, worthwhile(policy, function.batch_max_count), policy.batch_bytes)
    batches = BATCH in (function.handlers or ())
    at_once = AT_ONCE if policy.rate_limit is None else 1  # a limit counts calls
    action = Action(
        slug="function",
        title=function.name,
        description="",
        perform=runs.perform,
        batches=True,
        batches_all=True,
        default_batch_size=function.batch_max_count if batches else at_once,
        max_batch_bytes=policy.batch_bytes,
        batch_wait=None if batches else 0.0,
        timeout=LONGEST,
    )
    return Definition(
        slug=destination.definition,
        id=function.id,
        name=function.name,
        previous_names=function.previous_names,
        description="",
        actions={action.slug: action},
        on_delete=runs.forget if function.handlers is None or DELETE in function.handlers else None,
    )


def worthwhile(policy: DeliveryPolicy, count: int) -> int:
    """Events from which on a batch handler is worth it."""
    return max(2, min(count, int(policy.batch_wait * SLOW)))


def fills(payloads: Sequence[Payload], most_bytes: int) -> bool:
    """Whether one more event like these would be too much for a batch of so many bytes."""
    count, size = len(payloads), sum(len(orjson.dumps(payload)) for payload in payloads)
    return count > 1 and size + size // count > most_bytes


class FunctionDelivery:
    def __init__(self, functions: Functions | None, worthwhile: int, batch_bytes: int) -> None:
        self._functions = functions
        self._worthwhile = worthwhile
        self._batch_bytes = batch_bytes

    async def perform(self, call: Call, payloads: Sequence[Payload]) -> Outcome | list[Outcome]:
        if self._functions is None:
            return discarded("INTERNAL", "functions do not run here")
        deployed = await self._functions.deployed(call.destination_id)
        if deployed is None:
            return waits("429", "the function is not deployed", 1.0)
        if self._functions.locked_out(deployed):
            return LOCKED_OUT
        if deployed.batches and (len(payloads) >= self._worthwhile or fills(payloads, self._batch_bytes)):
            return await self._batch(self._functions, deployed, payloads)
        return await self._each(self._functions, deployed, payloads)

    async def forget(self, call: Call, user_id: str | None, anonymous_id: str | None) -> Outcome:
        """`onDelete`, with the event of a deletion."""
        functions = self._functions
        if functions is None or (deployed := await functions.deployed(call.destination_id)) is None:
            return retry("RETRY", "the function is not deployed")
        if functions.locked_out(deployed):
            return retry(LOCKED_OUT.code, LOCKED_OUT.message)
        [made] = await functions.call_each(deployed, [(DELETE, call.events[0])])
        outcome = of_ending(made.ending, deployed.masking)
        if outcome.kind == "waits":
            return retry(outcome.code, outcome.message, outcome.retry_after)
        return DELIVERED if outcome.kind == "filtered" else outcome

    async def _batch(
        self, functions: Functions, deployed: Deployed, events: Sequence[Payload]
    ) -> list[Outcome]:
        made = await functions.call_batch(deployed, events)
        function, masking, count = deployed.function, deployed.masking, len(events)
        endings = made.endings(count)
        outcomes = {
            ending: of_ending(ending, masking, RunTrace(function, BATCH, made, masking, count, ending))
            for ending in set(endings)
        }
        return [outcomes[ending] for ending in endings]

    async def _each(
        self, functions: Functions, deployed: Deployed, events: Sequence[Payload]
    ) -> list[Outcome]:
        outcomes: list[Outcome | None] = [None] * len(events)
        alone: list[int] = []
        together: list[int] = []
        for at, event in enumerate(events):
            if deployed.has(handler_of(event)) is not False:
                alone.append(at)
            elif deployed.batches:
                together.append(at)
            else:
                outcomes[at] = of_ending(unsupported(event))
        if alone:
            calls = [(handler_of(events[at]), events[at]) for at in alone]
            for at, made in zip(alone, await functions.call_each(deployed, calls), strict=True):
                outcomes[at] = _outcome(deployed, handler_of(events[at]), made)
        if together:
            batch = await self._batch(functions, deployed, [events[at] for at in together])
            for at, outcome in zip(together, batch, strict=True):
                outcomes[at] = outcome
        return [outcome for outcome in outcomes if outcome is not None]


def _outcome(deployed: Deployed, handler: str, made: Invocation) -> Outcome:
    if made.ending.kind is Kind.OK:
        return DELIVERED
    trace = RunTrace(deployed.function, handler, made, deployed.masking)
    return of_ending(made.ending, deployed.masking, trace)
