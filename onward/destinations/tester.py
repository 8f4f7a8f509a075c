"""Try a destination before, and while, events go through it (spec §9.1, §20, §22.28).

- `test_connection`: does the tool take the settings?
- `test_mapping`: one mapping, also a disabled or unsaved one, on one event: trigger, payload, and what goes
  out and comes back.
- `test_event`: a real event through every enabled mapping, past the destination's filters.
- `preview.py`: which step of the road would do what with an event. Nothing is sent.

Everything goes by the same pipeline, actions and egress as deliveries, and nothing of it is counted, retried
or kept. Invariants: a test ends within its time, and no secret is in what it tells (`onward.egress.record`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from random import SystemRandom
from typing import Any, Literal

import msgspec

from onward.destinations.definition import Action, Call, Definition, Payload, Runtime
from onward.destinations.outcome import Outcome, discarded, retry
from onward.egress import redact
from onward.egress.http import Client, EgressError
from onward.egress.masking import Masking
from onward.egress.record import DryRun, Exchange, Recorder
from onward.pipeline import payloads, route, triggers
from onward.pipeline.governance.transformations import EventDropped, TransformationError, Transformations
from onward.pipeline.mapping import MappingError
from onward.pipeline.route import Route, RouteSpec, SubscriptionSpec
from onward.pipeline.types import Event
from onward.pipeline.verdict import Stopped
from onward.workspace.definitions import is_secret
from onward.workspace.snapshot import Destination, Subscription

GRACE = 5.0
"""Seconds that an action may take beyond the timeout that it was told to keep."""
PATIENCE = 60.0
"""Seconds for a whole test."""
AT_ONCE = 8
"""Mappings that an event tester sends for at the same time."""

NO_MATCH = "You may not have any subscriptions that match this event."
"""Segment's words (spec §20.1)."""


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One destination as it is configured, with what it takes to call its tool."""

    destination: Destination
    definition: Definition
    http: Client
    runtime: Runtime | None = None
    write_keys: tuple[str, ...] = ()
    """Of its source."""
    insert: "Insert | None" = None
    """Its insert function, between triggers and mappings; never raises."""

    @property
    def runnable(self) -> bool:
        """Whether its actions can run here: those in JavaScript need the bridge."""
        return self.definition.native or self.runtime is not None

    def masking(self) -> Masking:
        settings, fields = self.destination.settings, self.definition.settings
        secrets = [settings[name] for name, field in fields.items() if is_secret(field) and name in settings]
        if (inserted := self.destination.inserted) is not None:
            secrets += [inserted.settings.get(name, "") for name in inserted.sensitive]
        return Masking(secrets)

    def call(
        self, http: Client, subscription: Subscription | None = None, events: Sequence[Event] = ()
    ) -> Call:
        destination = self.destination
        return Call(
            settings=destination.settings,
            http=http,
            timeout=destination.policy.timeout,
            workspace_id=destination.workspace_id,
            source_id=destination.source_id,
            destination_id=destination.id,
            write_keys=self.write_keys,
            events=events,
            subscription_id=subscription.id if subscription else "",
            mapping=subscription.mapping if subscription else {},
            runtime=self.runtime,
        )

    def route(self, subscriptions: Sequence[Subscription], *, filters: bool) -> Route:
        """The way of events to these mappings, as deliveries go, with or without what is before triggers."""
        definition = self.definition
        return route.compile(
            RouteSpec(
                integration_names=definition.integration_names,
                default_enabled=definition.default_enabled,
                supported_types=definition.supported_types,
                filters=self.destination.filters if filters else (),
                transformations=self.destination.transformations if filters else (),
                subscriptions=[
                    SubscriptionSpec(
                        each.trigger,
                        each.mapping,
                        each.enabled,
                        action.fields if action else None,
                        action.batches if action else False,
                    )
                    for each in subscriptions
                    for action in [definition.actions.get(each.action)]
                ],
            )
        )


class Shape(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What tests answer; the Public API shows it as it is."""


class Connection(Shape, frozen=True):
    status: Literal["CONNECTED", "FAILED", "UNTESTED"]
    """UNTESTED: the tool offers no way to ask."""
    message: str
    exchanges: list[Exchange]


class Problem(Shape, frozen=True):
    code: str
    """Spec §12.4."""
    message: str
    fields: list[str]
    """The fields at fault, as JSON pointers, as far as they are known."""


Insert = Callable[[Event], Awaitable[Event | Problem]]


class Fate(Shape, frozen=True):
    """What became of the payload: an `Outcome`, as it is shown."""

    kind: Literal["delivered", "retry", "discarded"]
    """`retry`: a delivery would be tried again; a test is not."""
    code: str
    message: str
    retry_after: float | None


class Result(Shape, frozen=True):
    """What one mapping does with one event."""

    subscription_id: str
    """Empty for a mapping that is not saved."""
    name: str
    action_slug: str
    matched: bool
    """Whether the event meets the trigger. If it does not, the payload is what it would be if it did."""
    payload: Payload | None
    problem: Problem | None
    """Why there is no payload."""
    outcome: Fate | None = None
    """None if nothing was sent: no match, no payload, or a dry run."""
    exchanges: list[Exchange] = []
    exchanges_left_out: int = 0

    @property
    def delivered(self) -> bool:
        return self.outcome is not None and self.outcome.kind == "delivered"


class Stop(Shape, frozen=True):
    """What keeps an event from the mappings on its ordinary way."""

    code: str
    message: str
    filter_id: str | None


class EventResult(Shape, frozen=True):
    """What all enabled mappings did with one event."""

    matched: int
    """Mappings whose trigger it meets."""
    requests: int
    success: bool
    """Whether it met a trigger, and every mapping that it met was delivered."""
    message: str
    bypassed: Stop | None
    """What the tester sent it past; without it the event would have gone no further."""
    results: list[Result]


# Tests


async def test_connection(instance: Instance) -> Connection:
    test = instance.definition.test
    if test is None:
        return Connection(status="UNTESTED", message="this tool offers no way to test settings", exchanges=[])
    masking = instance.masking()
    recorder = Recorder(instance.http, masking)
    call = instance.call(recorder)
    try:
        async with asyncio.timeout(call.timeout * 3):
            wrong = await test(call)
    except TimeoutError:
        wrong = f"no answer within {call.timeout * 3:g} s"
    except EgressError as error:
        wrong = f"{error.code}: {error.message}"
    except Exception as error:
        wrong = f"{type(error).__name__}: {error}"
    return Connection(
        status="CONNECTED" if wrong is None else "FAILED",
        message="the tool takes the settings" if wrong is None else masking.text(wrong),
        exchanges=await asyncio.to_thread(recorder.exchanges),
    )


async def test_mapping(
    instance: Instance, subscription: Subscription, event: Event, *, send: bool = True
) -> Result:
    """Send only if the event meets the trigger. Without `send`, the exchanges hold the first request as it
    would go out, unanswered."""
    subscription = msgspec.structs.replace(subscription, enabled=True)
    result = await asyncio.to_thread(map_event, instance, subscription, event)
    came = await inserted(instance, event) if result.matched else event
    return await _go_on(instance, subscription, result, came, send=send)


async def test_event(instance: Instance, event: Event) -> EventResult:
    """A real send through all enabled mappings that the event meets (spec §20.1)."""
    subscriptions = [each for each in instance.destination.subscriptions if each.enabled]
    bypassed = await asyncio.to_thread(stopped_at, instance, event)
    if bypassed is None or bypassed.filter_id is not None:
        event = await asyncio.to_thread(transformed, instance, event)
    mapped = await asyncio.to_thread(lambda: [map_event(instance, each, event) for each in subscriptions])
    came = await inserted(instance, event) if any(each.matched for each in mapped) else event
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(subscription: Subscription, result: Result) -> Result:
        async with slots:
            return await _go_on(instance, subscription, result, came, send=True)

    results = await asyncio.gather(*map(one, subscriptions, mapped))
    matched = [each for each in results if each.matched]
    delivered = sum(each.delivered for each in matched)
    return EventResult(
        matched=len(matched),
        requests=sum(len(each.exchanges) + each.exchanges_left_out for each in matched),
        success=bool(matched) and delivered == len(matched),
        message=f"{delivered} of {len(matched)} matching mappings delivered" if matched else NO_MATCH,
        bypassed=bypassed,
        results=results,
    )


# Their parts


def stopped_at(instance: Instance, event: Event) -> Stop | None:
    """What would stop the event before the triggers on its ordinary way."""
    try:
        verdict = instance.route((), filters=True).match(event, SystemRandom())
    except TransformationError as error:
        return Stop(code="INTERNAL", message=str(error), filter_id=None)
    if isinstance(verdict, Stopped) and verdict != route.NO_MAPPING:
        return Stop(code=str(verdict), message=verdict.message, filter_id=verdict.filter_id or None)
    return None


def transformed(instance: Instance, event: Event) -> Event:
    """What the transformations make of an event; itself where they can't be applied to it."""
    try:
        return Transformations(instance.destination.transformations)(event)
    except (EventDropped, TransformationError):
        return event


async def inserted(instance: Instance, event: Event) -> Event | Problem:
    """What the insert function makes of an event that meets a trigger; itself if there is none."""
    return event if instance.insert is None else await instance.insert(event)


def remapped(instance: Instance, subscription: Subscription, result: Result, came: Event | Problem) -> Result:
    """The result of a mapping whose trigger is met, with what the insert function made of the event."""
    if isinstance(came, Problem):
        return msgspec.structs.replace(result, payload=None, problem=came)
    if instance.insert is None:
        return result
    return msgspec.structs.replace(map_event(instance, subscription, came), matched=True)


def map_event(instance: Instance, subscription: Subscription, event: Event) -> Result:
    """Trigger, mapping and fields, as deliveries see them; the payload in clear."""
    action = instance.definition.actions.get(subscription.action)
    (mapped,) = instance.route([subscription], filters=False).map(event, [0])
    problem = None
    if action is None:
        known = ", ".join(instance.definition.actions) or "none"
        message = f"{instance.definition.name} has no action {subscription.action}; it has: {known}"
        problem = Problem(code=route.INVALID_SETTINGS, message=message, fields=[])
    elif mapped.problem is not None:
        code, message = mapped.problem
        problem = Problem(code=code, message=message, fields=_at_fault(action, subscription, event))
    return Result(
        subscription_id=subscription.id,
        name=subscription.name,
        action_slug=subscription.action,
        matched=triggers.matches(subscription.trigger, event),
        payload=None if problem else mapped.payload,
        problem=problem,
    )


def shown(instance: Instance, result: Result) -> Result:
    """The result, without what lets someone in."""
    masking = instance.masking()
    problem = result.problem and msgspec.structs.replace(
        result.problem, message=masking.text(result.problem.message)
    )
    payload = None if result.payload is None else masking.json(redact.payload(result.payload))
    return msgspec.structs.replace(result, payload=payload, problem=problem)


async def _go_on(
    instance: Instance, subscription: Subscription, result: Result, came: Event | Problem, *, send: bool
) -> Result:
    """From the insert function on."""
    if result.matched:
        result = await asyncio.to_thread(remapped, instance, subscription, result, came)
    if not result.matched or result.payload is None or isinstance(came, Problem):
        return await asyncio.to_thread(shown, instance, result)
    return await _send(instance, subscription, came, result, send=send)


async def _send(
    instance: Instance, subscription: Subscription, event: Event, result: Result, *, send: bool
) -> Result:
    recorder = Recorder(instance.http if send else DryRun(), instance.masking())
    action = instance.definition.actions[subscription.action]
    assert result.payload is not None
    outcome = await _perform(action, instance.call(recorder, subscription, [event]), result.payload)
    return await asyncio.to_thread(_told, instance, result, recorder, outcome if send else None)


def _told(instance: Instance, result: Result, recorder: Recorder, outcome: Outcome | None) -> Result:
    """What people see of it; without an outcome it was a dry run."""
    exchanges = recorder.exchanges()
    fate = None
    if outcome is not None:
        message = instance.masking().text(redact.body(outcome.message))
        # Only functions, which this does not test, come to other ends.
        kind = outcome.kind if outcome.kind == "delivered" or outcome.kind == "retry" else "discarded"
        fate = Fate(kind=kind, code=outcome.code, message=message, retry_after=outcome.retry_after)
    else:
        exchanges = [msgspec.structs.replace(each, error=None, duration_ms=None) for each in exchanges]
    return msgspec.structs.replace(
        shown(instance, result), outcome=fate, exchanges=exchanges, exchanges_left_out=recorder.left_out
    )


async def _perform(action: Action, call: Call, payload: Payload) -> Outcome:
    """The outcome of one payload, whatever the action does, in bounded time."""
    patience = min(max(call.timeout, action.timeout or 0) + GRACE, PATIENCE)
    try:
        async with asyncio.timeout(patience):
            outcome = await action.perform(call, [payload])
    except TimeoutError:
        return retry("ETIMEDOUT", f"no answer within {patience:g} s")
    except EgressError as error:
        return retry(error.code, error.message) if error.retryable else discarded(error.code, error.message)
    except Exception as error:
        return discarded("INTERNAL", f"{type(error).__name__}: {error}")
    if isinstance(outcome, list):
        if len(outcome) != 1:
            return discarded("INTERNAL", f"{action.slug} answered {len(outcome)} outcomes for one payload")
        return outcome[0]
    return outcome


def _at_fault(action: Action, subscription: Subscription, event: Event) -> list[str]:
    """The fields that keep an event from becoming a payload."""
    try:
        payloads.compile(subscription.mapping, action.fields, batches=action.batches)(event)
    except payloads.RejectedError as error:
        return list(error.invalid.paths)
    except MappingError as error:
        places = [problem.path for problem in error.problems]
        return [f"/{'/'.join(error.path)}"] if error.path else places
    except Exception:
        return []
    return []


def unsaved(action: str, trigger: str, mapping: Mapping[str, Any], name: str = "") -> Subscription:
    """A mapping as it would be, for tests before it is saved."""
    return Subscription(id="", name=name, action=action, trigger=trigger, mapping=dict(mapping))
