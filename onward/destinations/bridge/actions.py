"""What the engine asks of a destination of the catalogue → calls of the bridge, and their answers back.

Python has mapped and validated the payloads; JavaScript only performs. A batch for a destination that never
looks at events besides payloads goes without them: only with what tells whether someone joins an audience.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from onward.destinations.bridge.errors import BridgeError, of_error, of_nodes, read_nodes
from onward.destinations.bridge.worker import Answer, Unencodable
from onward.destinations.definition import Call, HookError, Json, Page, Payload, Runtime
from onward.destinations.outcome import DELIVERED, Outcome, discarded
from onward.pipeline.route import INVALID_SETTINGS, REJECTED
from onward.pipeline.types import Event

OPERATION_LIMIT = 60.0
"""Seconds for all requests of a connection test, a list of choices, and the like."""


@dataclass(frozen=True)
class Bridged:
    """A destination of the catalogue, as far as calls need to know it."""

    directory: str
    oauth: bool = False
    refreshes: bool = False
    """Whether it can get a new access token."""
    reads_events: bool = True
    in_turn: bool = False
    """Whether its actions are run one after the other for the same event: one may need what another got."""
    unserved: str = ""
    """Why it can't be delivered to, if that is so."""

    def arguments(self, limit: float = OPERATION_LIMIT, **more: Any) -> Json:
        return {
            "directory": self.directory,
            "oauth": self.oauth,
            "refreshes": self.refreshes,
            "limit": limit,
            **more,
        }

    async def run(self, operation: str, call: Call, **more: Any) -> Any:
        """Raises `BridgeError`."""
        if self.unserved:
            raise BridgeError(self.unserved)
        return (await runtime(call).run(operation, self.directory, self.arguments(**more), call)).result


def runtime(call: Call) -> Runtime:
    if call.runtime is None:
        raise BridgeError("nothing runs the catalogue's JavaScript here")
    return call.runtime


@dataclass(frozen=True)
class Perform:
    """`Action.perform` of one action."""

    of: Bridged
    action: str
    batches: bool
    limit: float
    """Seconds for all that one call does."""
    own_flag: bool = True
    """Whether `enable_batching` is a field of the action's own; else it is the engine's, and is not sent."""

    async def __call__(self, call: Call, payloads: Sequence[Payload]) -> Outcome | list[Outcome]:
        if self.of.unserved:
            return discarded(INVALID_SETTINGS, self.of.unserved)
        try:
            return await self._send(call, payloads, _events(call.events, len(payloads)))
        except Unencodable as error:
            if len(payloads) == 1:
                return discarded(REJECTED, f"the payload can't be written as JSON: {error}")
        refused = {place: why for place, payload in enumerate(payloads) if (why := _refusal(payload))}
        if len(refused) == len(payloads):
            return [refused[place] for place in range(len(payloads))]
        if not refused:  # it was an event, or a setting
            return discarded(REJECTED, "the event or the settings hold what JSON can't")
        kept = [place for place in range(len(payloads)) if place not in refused]
        events = _events(call.events, len(payloads))
        sent = await self._send(call, [payloads[p] for p in kept], [events[p] for p in kept])
        outcomes = dict(zip(kept, sent if isinstance(sent, list) else [sent] * len(kept), strict=True))
        return [refused.get(place) or outcomes[place] for place in range(len(payloads))]

    async def _send(
        self, call: Call, payloads: Sequence[Payload], events: Sequence[Event]
    ) -> Outcome | list[Outcome]:
        batch = self.batches and payloads[0].get("enable_batching") is True
        if not self.own_flag:
            payloads = [_without_flag(payload) for payload in payloads]
        arguments = self.of.arguments(
            self.limit,
            action=self.action,
            batch=batch,
            payloads=payloads,
            events=events if self.of.reads_events or not batch else [_brief(event) for event in events],
            inTurn=self.of.in_turn,
            destinationId=call.destination_id,
            sourceId=call.source_id,
            subscriptionId=call.subscription_id,
        )
        try:
            answer: Answer = await runtime(call).run("perform", self.of.directory, arguments, call)
        except BridgeError as error:
            return of_error(error, time.time())
        if answer.result == [None]:
            return DELIVERED
        nodes = read_nodes(answer.result)
        if len(nodes) not in (1, len(payloads)):
            raise ValueError(f"{len(nodes)} answers for {len(payloads)} payloads")
        return of_nodes(nodes, time.time(), answered=answer.answered, after=answer.after)


def _events(events: Sequence[Event], count: int) -> Sequence[Event]:
    return events if len(events) == count else [{} for _ in range(count)]


def _brief(event: Event) -> Event:
    context = event.get("context")
    if type(context) is dict and context.get("personas"):
        return event
    return {key: event.get(key) for key in ("type", "event", "messageId")}


def _without_flag(payload: Payload) -> Payload:
    if "enable_batching" not in payload:
        return payload
    return {key: value for key, value in payload.items() if key != "enable_batching"}


def _refusal(payload: Payload) -> Outcome | None:
    try:
        orjson.dumps(payload)
    except orjson.JSONEncodeError as error:
        return discarded(REJECTED, f"the payload can't be written as JSON: {error}")
    return None


@dataclass(frozen=True)
class Test:
    of: Bridged

    async def __call__(self, call: Call) -> str | None:
        try:
            await self.of.run("test", call)
        except BridgeError as error:
            return str(error) or "the tool refuses the settings"
        return None


@dataclass(frozen=True)
class Choices:
    of: Bridged

    async def __call__(self, call: Call, action: str, field: str, payload: Payload, page: str | None) -> Page:
        try:
            found = await self.of.run("choices", call, action=action, field=field, payload=payload, page=page)
        except BridgeError as error:
            return Page(error=str(error))
        if not isinstance(found, Mapping):
            return Page(error=f"{action} has no choices for {field}")
        refusal = found.get("error")
        return Page(
            choices=found.get("choices") or (),
            next_page=found.get("nextPage") or None,
            error=refusal.get("message") if isinstance(refusal, Mapping) else None,
        )


@dataclass(frozen=True)
class PerformHook:
    of: Bridged
    action: str
    hook: str

    async def __call__(self, call: Call, payload: Payload, inputs: Payload) -> Json:
        try:
            done = await self.of.run(
                "hook", call, action=self.action, hook=self.hook, payload=payload, inputs=inputs
            )
        except BridgeError as error:
            raise HookError(str(error)) from error
        if isinstance(done, Mapping) and (refusal := done.get("error")):
            raise HookError(str(refusal.get("message") if isinstance(refusal, Mapping) else refusal))
        saved = done.get("savedData") if isinstance(done, Mapping) else None
        return dict(saved) if isinstance(saved, Mapping) else {}


@dataclass(frozen=True)
class Audience:
    """`Audiences.create` (`createAudience`, by name) and `.get` (`getAudience`, by the tool's id)."""

    of: Bridged
    operation: str

    async def __call__(self, call: Call, subject: str, settings: Json) -> str:
        key = "name" if self.operation == "createAudience" else "externalId"
        try:
            found = await self.of.run(self.operation, call, **{key: subject}, audienceSettings=settings)
        except BridgeError as error:
            raise HookError(str(error)) from error
        id = found.get("externalId") if isinstance(found, Mapping) else None
        if not id:
            raise HookError("the tool gave no id for the audience")
        return str(id)


@dataclass(frozen=True)
class Delete:
    of: Bridged

    async def __call__(self, call: Call, user_id: str | None, anonymous_id: str | None) -> Outcome:
        try:
            await self.of.run("onDelete", call, userId=user_id, anonymousId=anonymous_id)
        except BridgeError as error:
            return of_error(error, time.time())
        return DELIVERED
