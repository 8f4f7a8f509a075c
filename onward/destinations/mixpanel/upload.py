"""Events to Mixpanel's import API: many payloads a request, an outcome for each.

In strict mode Mixpanel imports what is valid and names what is not (status 400 with `failed_records`); only
their payloads are discarded. What is too large for it (413) is sent in halves
(docs.mixpanel.com/reference/import-events).
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import orjson

from onward.destinations.definition import Call, Payload, Perform
from onward.destinations.exchange import JSON, Refused, ask, basic, encode
from onward.destinations.mixpanel.events import Build
from onward.destinations.outcome import DELIVERED, Outcome, discarded, from_response
from onward.egress.http import Response

MOST_EVENTS = 2000
"""In one request."""

SERVERS = {
    "US 🇺🇸": "https://api.mixpanel.com",
    "EU 🇪🇺": "https://api-eu.mixpanel.com",
    "IN 🇮🇳": "https://api-in.mixpanel.com",
}
"""By the setting `apiRegion`, whose values are Segment's."""


def server(settings: Mapping[str, Any]) -> str:
    return SERVERS.get(settings.get("apiRegion") or "", "https://api.mixpanel.com")


class _Ready(msgspec.Struct):
    """A payload as JSON."""

    place: int
    events: int
    body: bytes
    """Its events, joined by commas."""


def performer(build: Build) -> Perform:
    """The `perform` of an action whose payloads `build` makes into events."""

    async def perform(call: Call, payloads: Sequence[Payload]) -> Outcome | list[Outcome]:
        outcomes: dict[int, Outcome] = {}
        ready: list[_Ready] = []
        for place, payload in enumerate(payloads):
            try:
                bodies = [encode(event) for event in build(payload, call.settings)]
            except Refused as refusal:
                outcomes[place] = refusal.outcome
                continue
            ready.append(_Ready(place, len(bodies), b",".join(bodies)))
        for part in _split(ready):
            await _send(call, part, outcomes)
        if len(payloads) == 1:
            return outcomes[0]
        return [outcomes[place] for place in range(len(payloads))]

    return perform


def _split(ready: list[_Ready]) -> Iterator[list[_Ready]]:
    """By what one request may hold: a payload can have many events."""
    part: list[_Ready] = []
    count = 0
    for each in ready:
        if part and count + each.events > MOST_EVENTS:
            yield part
            part, count = [], 0
        part.append(each)
        count += each.events
    if part:
        yield part


async def _send(call: Call, ready: list[_Ready], outcomes: dict[int, Outcome]) -> None:
    strict = call.settings.get("strictMode")
    url = f"{server(call.settings)}/import?strict={'1' if strict is None else strict}"
    headers = {**JSON, "authorization": basic(call.settings.get("apiSecret") or "")}
    answer = await ask(call, url, b"[" + b",".join([each.body for each in ready]) + b"]", headers)
    if isinstance(answer, Outcome):
        outcomes.update({each.place: answer for each in ready})
        return
    if answer.status == 413 and len(ready) > 1:
        middle = len(ready) // 2
        for half in (ready[:middle], ready[middle:]):
            await _send(call, half, outcomes)
        return
    faults = _faults(answer, ready)
    outcome = DELIVERED if faults else from_response(answer, time.time())
    outcomes.update(
        {
            each.place: discarded("400", faults[each.place]) if each.place in faults else outcome
            for each in ready
        }
    )


def _faults(answer: Response, ready: list[_Ready]) -> dict[int, str]:
    """By place, what is wrong with the payloads whose events were not imported; empty if none is named.

    Of a payload with several events, those that are valid have been imported all the same.
    """
    if answer.status not in (200, 400) or b"failed_records" not in answer.body:
        return {}
    try:
        records = orjson.loads(answer.body)["failed_records"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return {}
    places = [each.place for each in ready for _ in range(each.events)]
    faults: dict[int, str] = {}
    for record in records if isinstance(records, list) else ():
        index = record.get("index") if isinstance(record, dict) else None
        if type(index) is int and 0 <= index < len(places):
            faults.setdefault(places[index], str(record.get("message") or "Mixpanel refused it"))
    return faults
