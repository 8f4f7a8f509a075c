"""Events to the Tracking API of another source: of this Onward, another one, or Segment (spec §13.6).

- The forwarded event gets a messageId of its own, as the old one would be taken for a repeat by a target
  that dedupes over all sources (spec §22.41). It follows from the destination, the old messageId and the
  event's content, so that a retry bears the same one and the target drops what it has already.
- writeKey, sentAt and receivedAt stay behind: the target sets its own.
- Events that would go in a circle are discarded (`loops`).
"""

import asyncio
import time
from base64 import b64encode
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any
from uuid import UUID

import orjson

from onward.destinations.definition import Call, Payload, Perform
from onward.destinations.outcome import Outcome, discarded, from_error, from_response
from onward.destinations.segment import loops
from onward.destinations.segment.events import Build
from onward.egress.http import EgressError, Request
from onward.pipeline.types import Event

DEFAULT_ENDPOINT = "https://api.segment.io/v1"
MAX_EVENT = 32 * 1024
"""Bytes that the Tracking API takes for an event, and for a batch (spec §3.3)."""
MAX_BATCH = 500_000 - 1_000

_CDN = {
    "https://api.segment.io/v1": "https://cdn.segment.com/v1",
    "https://events.eu1.segmentapis.com/v1": "https://cdn.segment.com/v1",
}


def performer(build: Build) -> Perform:
    """The `perform` of an action whose payloads `build` makes into events."""

    async def perform(call: Call, payloads: Sequence[Payload]) -> Outcome | list[Outcome]:
        write_key = call.settings.get("source_write_key")
        if not isinstance(write_key, str) or not write_key:
            return discarded(
                "INVALID_SETTINGS", "source_write_key is empty: the target's write key is needed"
            )
        outcomes: list[Outcome | None] = [None] * len(payloads)
        encoded: list[tuple[int, bytes]] = []
        for place, payload in enumerate(payloads):
            event = call.events[place] if place < len(call.events) else {}
            body = _encode(call, build(payload), payload, event, write_key)
            if isinstance(body, Outcome):
                outcomes[place] = body
            else:
                encoded.append((place, body))
        batches = _split(encoded)
        sent = await asyncio.gather(*(_post(call, write_key, [b for _, b in batch]) for batch in batches))
        if len(sent) == 1 and len(encoded) == len(payloads):
            return sent[0]
        for batch, outcome in zip(batches, sent, strict=True):
            for place, _ in batch:
                outcomes[place] = outcome
        return [outcome for outcome in outcomes if outcome is not None]

    return perform


async def test(call: Call) -> str | None:
    """Asks the target for the source's settings; None if it knows the write key, or what is wrong."""
    base = endpoint(call.settings)
    url = f"{_CDN.get(base, base)}/projects/{call.settings.get('source_write_key')}/settings"
    try:
        response = await call.http.send(Request(method="GET", url=url, timeout=call.timeout))
    except EgressError as error:
        return f"{error.code}: {error.message}"
    if 200 <= response.status < 300:
        return None
    return f"{base} does not know this write key (it answered {response.status})"


def endpoint(settings: Any) -> str:
    """The Tracking API's address, up to and with `/v1`."""
    text = settings.get("endpoint") or DEFAULT_ENDPOINT
    base = str(text).strip().rstrip("/")
    return base if base.endswith("/v1") else f"{base}/v1"


def _encode(call: Call, forwarded: Event, payload: Payload, event: Event, write_key: str) -> bytes | Outcome:
    if not (forwarded.get("userId") or forwarded.get("anonymousId")):
        return discarded(
            "MESSAGE_REJECTED", "user_id and anonymous_id are both empty; one of them is required"
        )
    context = forwarded["context"]
    chain = loops.read(event.get("context")) or loops.read(context)
    extended = loops.extend(chain, call.write_keys, write_key)
    if extended is None:
        return discarded(
            "LOOP_DETECTED",
            "this event has been through the source that it would be sent to (context.repeatChain); "
            "sources that forward to each other need a trigger or filter that keeps forwarded events out",
        )
    context.pop(loops.KEY, None)
    try:
        message_id = payload.get("message_id") or event.get("messageId")
        if message_id:
            forwarded["messageId"] = _message_id(call.destination_id, str(message_id), forwarded)
        context[loops.KEY] = extended
        body = orjson.dumps(forwarded)
    except orjson.JSONEncodeError as error:
        return discarded("MESSAGE_REJECTED", f"the event can't be written as JSON: {error}")
    if len(body) > MAX_EVENT:
        return discarded(
            "MESSAGE_REJECTED", f"the event has {len(body)} bytes; the Tracking API takes {MAX_EVENT}"
        )
    return body


def _message_id(destination_id: str, message_id: str, forwarded: Event) -> str:
    """The content is part of it because two mappings may make two events of one."""
    digest = blake2b(digest_size=16, person=b"onward/forward")
    digest.update(orjson.dumps([destination_id, message_id, forwarded]))
    return str(UUID(bytes=digest.digest(), version=4))


def _split(encoded: list[tuple[int, bytes]]) -> list[list[tuple[int, bytes]]]:
    """Into batches that the Tracking API takes."""
    batches: list[list[tuple[int, bytes]]] = []
    room = 0
    for place, body in encoded:
        if not batches or len(body) + 1 > room:
            batches.append([])
            room = MAX_BATCH
        batches[-1].append((place, body))
        room -= len(body) + 1
    return batches


async def _post(call: Call, write_key: str, bodies: list[bytes]) -> Outcome:
    request = Request(
        url=f"{endpoint(call.settings)}/batch",
        headers={
            "content-type": "application/json",
            "authorization": "Basic " + b64encode(f"{write_key}:".encode()).decode("ascii"),
        },
        body=b'{"batch":[' + b",".join(bodies) + b"]}",
        timeout=call.timeout,
    )
    try:
        return from_response(await call.http.send(request), time.time())
    except EgressError as error:
        return from_error(error)
