"""The action Send: one request for one event, or one for a batch of them (spec §13.1).

A batch shares its request's outcome; only what can't be written as JSON is discarded by itself.
"""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import orjson

from onward.destinations.definition import Call, Payload
from onward.destinations.outcome import Outcome, discarded, from_error, from_response
from onward.destinations.webhook.sign import segment_signature, standard_id, standard_signature
from onward.egress.http import EgressError, Request
from onward.pipeline.javascript import stringify
from onward.pipeline.types import Event

METHODS = ("POST", "PUT", "PATCH")
MAX_BATCH = 4000

_BATCH_KEYS = ("url", "method", "headers")
_JSON = {"content-type": "application/json"}
_UNLIKE_JAVASCRIPT = re.compile(rb'[0-9](?:\.0(?=[]},]|$)|e[-+]?[0-9]+(?=[]},]|$)|[0-9]{15}|":)')
"""What JavaScript may write otherwise: whole floats, exponents, numbers beyond 2⁵³; and numbered keys, which
it puts in order. Finding it in a text costs time only."""
_SIGNATURES = frozenset({"x-signature", "webhook-id", "webhook-timestamp", "webhook-signature"})


async def perform(call: Call, payloads: Sequence[Payload]) -> Outcome | list[Outcome]:
    """One request for each group of payloads that may share one; normally the engine has grouped them."""
    groups = _groups(payloads)
    if len(groups) == 1:
        return await _send(call, payloads, call.events)
    parts = await asyncio.gather(
        *(
            _send(
                call,
                [payloads[place] for place in places],
                [call.events[place] for place in places if call.events],
            )
            for places in groups
        )
    )
    outcomes: list[Outcome | None] = [None] * len(payloads)
    for places, part in zip(groups, parts, strict=True):
        for index, place in enumerate(places):
            outcomes[place] = part if isinstance(part, Outcome) else part[index]
    return [outcome for outcome in outcomes if outcome is not None]


def _groups(payloads: Sequence[Payload]) -> list[list[int]]:
    """Positions by what may share a request, so that nothing goes to an address that it did not name.

    Where `batch_keys` is mapped the engine has gone by it already, and the first payload speaks for the
    others in what it does not list; the address and the method are never left to the first one, though.
    """
    if len(payloads) == 1:
        return [[0]]
    keys = ("url", "method") if payloads[0].get("batch_keys") else _BATCH_KEYS
    groups: list[tuple[list[Any], list[int]]] = []
    for place, payload in enumerate(payloads):
        values = [payload.get(key) for key in keys]
        for known, places in groups:
            if known == values:
                places.append(place)
                break
        else:
            groups.append((values, [place]))
    return [places for _, places in groups]


async def _send(call: Call, payloads: Sequence[Payload], events: Sequence[Event]) -> Outcome | list[Outcome]:
    first = payloads[0]
    url, method = first.get("url"), first.get("method", "POST")
    if not isinstance(url, str) or not url:
        return discarded("MESSAGE_REJECTED", f"url is {_shown(url)}, not an address; check its mapping")
    if method not in METHODS:
        return discarded("MESSAGE_REJECTED", f"method is {_shown(method)}; it may be {', '.join(METHODS)}")
    try:
        headers = _headers(first.get("headers"))
    except ValueError as error:
        return discarded("MESSAGE_REJECTED", str(error))

    encode = _encode_as_javascript if call.settings.get("sharedSecret") else _encode
    unreadable: dict[int, Outcome] = {}
    if first.get("enable_batching") is True or len(payloads) > 1:
        body, unreadable = _encode_batch(payloads, encode)
        if len(unreadable) == len(payloads):
            return list(unreadable.values())
        # Segment signs the first element alone (spec §22.15).
        signed = next(payload for place, payload in enumerate(payloads) if place not in unreadable)
    else:
        signed = first
        try:
            body = encode(first.get("data")) if "data" in first else b""
        except ValueError as error:
            return discarded("MESSAGE_REJECTED", str(error))
    try:
        _sign(call, headers, url, signed, body, events)
    except ValueError as error:
        return discarded("INVALID_SETTINGS", str(error))

    request = Request(method=method, url=url, headers=headers, body=body, timeout=call.timeout)
    try:
        outcome = from_response(await call.http.send(request), time.time())
    except EgressError as error:
        outcome = from_error(error)
    if unreadable:
        return [unreadable.get(place, outcome) for place in range(len(payloads))]
    return outcome


def _encode(data: Any) -> bytes:
    """Raises ValueError for what JSON can't hold: an integer beyond 64 bits, half a surrogate pair."""
    try:
        return orjson.dumps(data)
    except orjson.JSONEncodeError as error:
        raise ValueError(f"data can't be written as JSON: {error}") from None


def _encode_as_javascript(data: Any) -> bytes:
    """As JSON.stringify writes it: Segment's documentation has receivers of X-Signature parse the body and
    write it again before they verify, and 42.0 is 42 then. Raises ValueError as `_encode` does.
    """
    encoded = _encode(data)
    return str(stringify(data)).encode() if _UNLIKE_JAVASCRIPT.search(encoded) else encoded


def _encode_batch(
    payloads: Sequence[Payload], encode: Callable[[Any], bytes]
) -> tuple[bytes, dict[int, Outcome]]:
    """The JSON array, and by position the outcomes of those that could not be put into it."""
    try:
        return encode([payload.get("data") for payload in payloads]), {}
    except ValueError:
        pass
    encoded: list[bytes] = []
    unreadable: dict[int, Outcome] = {}
    for place, payload in enumerate(payloads):
        try:
            encoded.append(encode(payload.get("data")))
        except ValueError as error:
            unreadable[place] = discarded("MESSAGE_REJECTED", str(error))
    return b"[" + b",".join(encoded) + b"]", unreadable


def _headers(mapped: Any) -> dict[str, str]:
    """The mapped headers as text, and a content type; raises ValueError naming the one that can't be."""
    if not mapped:
        return dict(_JSON)
    if not isinstance(mapped, dict):
        raise ValueError(f"headers is {_shown(mapped)}, not an object; check its mapping")
    headers: dict[str, str] = {}
    typed = False
    for name, value in mapped.items():
        if value is None:
            continue
        if isinstance(value, bool):
            value = "true" if value else "false"
        elif isinstance(value, int | float):
            value = str(value)
        elif not isinstance(value, str):
            raise ValueError(f"header {name} is {_shown(value)}, not text; check its mapping")
        headers[name] = value
        typed = typed or name.lower() == "content-type"
    return headers if typed else {**_JSON, **headers}


def _sign(
    call: Call, headers: dict[str, str], url: str, signed: Payload, body: bytes, events: Sequence[Event]
) -> None:
    """Adds the signatures that the settings ask for; a mapped header can't stand in for one."""
    shared = call.settings.get("sharedSecret")
    standard = call.settings.get("standardWebhooksSecret")
    if not shared and not standard:
        return
    for name in [name for name in headers if name.lower() in _SIGNATURES]:
        del headers[name]
    if shared and "data" in signed:
        headers["x-signature"] = segment_signature(shared, _encode_as_javascript(signed["data"]))
    if standard:
        message_ids = [event["messageId"] for event in events if isinstance(event.get("messageId"), str)]
        known = bool(events) and len(message_ids) == len(events)
        message_id = (
            standard_id(call.destination_id, url, message_ids, body) if known else f"msg_{uuid4().hex}"
        )
        timestamp = int(time.time())
        headers["webhook-id"] = message_id
        headers["webhook-timestamp"] = str(timestamp)
        headers["webhook-signature"] = standard_signature(standard, message_id, timestamp, body)


def _shown(value: Any) -> str:
    return repr(value)[:100] if value not in (None, "") else "empty"
