"""Events to Amplitude's HTTP V2 API or its batch API: many payloads a request, an outcome for each.

Amplitude takes a request whole or not at all. If it names events that are at fault (status 400), their
payloads are discarded and the others are sent again at once, so that none is lost for its neighbours; what is
too large for it (413) is sent in halves (amplitude.com/docs/apis/analytics/http-v2, …/batch-event-upload).
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import orjson

from onward.destinations.amplitude.endpoints import address
from onward.destinations.amplitude.events import Build
from onward.destinations.definition import Call, Payload, Perform
from onward.destinations.exchange import Refused, ask, encode
from onward.destinations.outcome import Outcome, discarded, from_response
from onward.egress.http import Response

MOST_EVENTS = 2000
"""In one request: Amplitude takes fewer than that, or so many, depending on the page; we stay below."""

ROUNDS = 5
"""Requests that are sent because of faults of others, before what is left is halved."""


class _Ready(msgspec.Struct):
    """A payload as JSON."""

    place: int
    events: int
    body: bytes
    """Its events, joined by commas."""


_Key = tuple[bool, int | None]
"""What payloads must have in common to share a request: the endpoint, and the shortest id."""


def performer(build: Build) -> Perform:
    """The `perform` of an action whose payloads `build` makes into events."""

    async def perform(call: Call, payloads: Sequence[Payload]) -> Outcome | list[Outcome]:
        outcomes: dict[int, Outcome] = {}
        groups: dict[_Key, list[_Ready]] = {}
        for place, payload in enumerate(payloads):
            try:
                bodies = [encode(event) for event in build(_without_empty_texts(payload))]
            except Refused as refusal:
                outcomes[place] = refusal.outcome
                continue
            groups.setdefault(_key(payload), []).append(_Ready(place, len(bodies), b",".join(bodies)))
        for key, ready in groups.items():
            for part in _split(ready):
                await _send(call, key, part, outcomes, ROUNDS)
        if len(payloads) == 1:
            return outcomes[0]
        return [outcomes[place] for place in range(len(payloads))]

    return perform


def _without_empty_texts(payload: Payload) -> Payload:
    """The engine keeps empty texts in payloads that ask to be batched; Segment's destination never does."""
    if payload.get("enable_batching") is not True or "" not in payload.values():
        return payload
    return {name: value for name, value in payload.items() if value != ""}


def _key(payload: Payload) -> _Key:
    shortest = payload.get("min_id_length")
    return bool(payload.get("use_batch_endpoint")), shortest if shortest and shortest > 0 else None


def _split(ready: list[_Ready]) -> Iterator[list[_Ready]]:
    """By what one request may hold: a payload can have many events."""
    part: list[_Ready] = []
    count = 0
    for each in ready:
        if part and count + each.events >= MOST_EVENTS:
            yield part
            part, count = [], 0
        part.append(each)
        count += each.events
    if part:
        yield part


async def _send(
    call: Call, key: _Key, ready: list[_Ready], outcomes: dict[int, Outcome], rounds: int
) -> None:
    answer = await ask(
        call, address("batch" if key[0] else "httpapi", call.settings), _body(call, key, ready)
    )
    if isinstance(answer, Response) and len(ready) > 1:
        faults = _faults(answer.body, ready) if answer.status == 400 else {}
        if faults and rounds > 1:
            outcomes.update({place: discarded("400", fault) for place, fault in faults.items()})
            if others := [each for each in ready if each.place not in faults]:
                await _send(call, key, others, outcomes, rounds - 1)
            return
        if faults or answer.status == 413:
            middle = len(ready) // 2
            for half in (ready[:middle], ready[middle:]):
                await _send(call, key, half, outcomes, ROUNDS)
            return
    outcome = from_response(answer, time.time()) if isinstance(answer, Response) else answer
    outcomes.update({each.place: outcome for each in ready})


def _body(call: Call, key: _Key, ready: list[_Ready]) -> bytes:
    shortest = key[1]
    options = b',"options":' + orjson.dumps({"min_id_length": shortest}) if shortest else b""
    events = b",".join([each.body for each in ready])
    return b'{"api_key":%b,"events":[%b]%b}' % (orjson.dumps(call.settings.get("apiKey")), events, options)


def _faults(body: bytes, ready: list[_Ready]) -> dict[int, str]:
    """By place, what is wrong with the payloads whose events the answer names; empty if it names none."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(answer, dict):
        return {}
    places = [each.place for each in ready for _ in range(each.events)]
    faults: dict[int, str] = {}
    for words, index in _named(answer):
        if type(index) is int and 0 <= index < len(places):
            faults.setdefault(places[index], words)
    return faults


def _named(answer: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is wrong, and the position of an event."""
    for kind, words in (
        ("events_with_missing_fields", "is missing"),
        ("events_with_invalid_fields", "is not valid"),
        ("events_with_invalid_id_lengths", "is too short or too long"),
    ):
        fields = answer.get(kind)
        for field, indexes in fields.items() if isinstance(fields, dict) else ():
            for index in indexes if isinstance(indexes, list) else ():
                yield f"{field} {words}", index
    silenced = answer.get("silenced_events")
    for index in silenced if isinstance(silenced, list) else ():
        yield "the device is silenced", index
