"""The action Send: one message for each payload, and one outcome from its delivery report.

As in Segment's: the payload as JSON, a key, headers as text, and the partition, the default partition or
else the one that the key's hash says (murmur2, as Java's clients).
"""

from collections.abc import Sequence
from typing import Any

import orjson

from onward.destinations.definition import Call, Page, Payload
from onward.destinations.kafka import pool
from onward.destinations.kafka.config import RECORD_BATCH, SettingsError
from onward.destinations.kafka.errors import ERRORS_OF_ONE, NO_IDEMPOTENCE, outcome
from onward.destinations.kafka.link import ConnectError, Link, Message, Report
from onward.destinations.outcome import DELIVERED, Outcome, discarded, from_error
from onward.egress.http import EgressError
from onward.pipeline.javascript import stringify, to_string

LARGEST_BATCH = 4_000_000
"""Bytes of payloads that are handed over at once."""


async def perform(call: Call, payloads: Sequence[Payload]) -> Outcome | list[Outcome]:
    outcomes: dict[int, Outcome] = {}
    messages: dict[int, Message] = {}
    for place, payload in enumerate(payloads):
        try:
            messages[place] = _message(payload)
        except ValueError as error:
            outcomes[place] = discarded("MESSAGE_REJECTED", str(error))
    if messages:
        try:
            outcomes |= await _deliver(call, messages, _record_batch(payloads[0].get("batch_bytes")))
        except SettingsError as error:
            return discarded("INVALID_SETTINGS", str(error))
        except ConnectError as error:
            return outcome(error.error)
        except EgressError as error:
            return from_error(error)
    return [outcomes[place] for place in range(len(payloads))]


async def test(call: Call) -> str | None:
    """Whether the cluster answers; None, or what is wrong."""
    try:
        await pool.of_this_loop().topics(call)
    except (SettingsError, EgressError) as error:
        return str(error)
    except ConnectError as error:
        return outcome(error.error).message
    return None


async def choices(call: Call, action: str, field: str, payload: Payload, page: str | None) -> Page:
    """The cluster's topics."""
    try:
        found = await pool.of_this_loop().topics(call)
    except (SettingsError, EgressError) as error:
        return Page(error=str(error))
    except ConnectError as error:
        return Page(error=outcome(error.error).message)
    return Page(choices=[{"label": topic, "value": topic} for topic in sorted(found.topics)])


async def _deliver(call: Call, messages: dict[int, Message], record_batch: int) -> dict[int, Outcome]:
    """Send, and send again what may succeed at once in another way; raises as `Pool.link` does."""
    places = list(messages)
    for again in (True, False):
        async with pool.of_this_loop().link(
            call, messages[places[0]].topic, record_batch=record_batch
        ) as link:
            reports = await link.send([messages[place] for place in places])
            not_idempotent = link.fatal is not None and link.fatal.name() in NO_IDEMPOTENCE
        if not (again and not_idempotent and all(report is not None for report in reports)):
            break
    outcomes = {place: _outcome(report, link) for place, report in zip(places, reports, strict=True)}
    shared = [
        place
        for place, report in zip(places, reports, strict=True)
        if report is not None and not isinstance(report, EgressError) and report.name() in ERRORS_OF_ONE
    ]
    if shared and len(messages) > 1:
        # A broker refuses a write as a whole: by themselves, those that are not at fault go through.
        async with pool.of_this_loop().link(call, messages[shared[0]].topic, alone=True) as link:
            reports = await link.send([messages[place] for place in shared])
        outcomes |= {place: _outcome(report, link) for place, report in zip(shared, reports, strict=True)}
    return outcomes


def _outcome(report: Report, link: Link) -> Outcome:
    if report is None:
        return DELIVERED
    if isinstance(report, EgressError):
        return from_error(report)
    if report.name() == "_MSG_TIMED_OUT" and (reason := link.why or link.trouble) is not None:
        return outcome(reason)
    if report.name() in ("_FATAL", "_PURGE_QUEUE", "_PURGE_INFLIGHT") and link.fatal is not None:
        return outcome(link.fatal)
    return outcome(report)


def _message(payload: Payload) -> Message:
    """Raises ValueError for what can't be sent."""
    topic = payload.get("topic")
    if not isinstance(topic, str) or not topic:
        raise ValueError("topic is empty; check its mapping")
    partition = payload.get("partition")
    if partition is None:
        partition = payload.get("default_partition")
    if partition is not None and (not isinstance(partition, int) or not 0 <= partition < 2**31):
        raise ValueError(f"partition is {partition!r}, which is none; leave it empty to go by the key")
    key = payload.get("key")
    try:
        value = orjson.dumps(payload.get("payload"))
        headers = _headers(payload.get("headers"))
        if key is not None:
            key.encode()
    except (TypeError, ValueError) as error:
        raise ValueError(f"the payload can't be written: {error}") from None
    return Message(topic, value, key, -1 if partition is None else partition, headers)


def _headers(mapped: Any) -> list[tuple[str, str | bytes | None]]:
    if not isinstance(mapped, dict):
        return []
    return [
        (name, _header(value))
        for name, values in mapped.items()
        for value in (values if isinstance(values, list) else [values])
    ]


def _header(value: Any) -> bytes | None:
    if value is None:
        return None
    return (str(stringify(value)) if isinstance(value, dict) else to_string(value)).encode()


def _record_batch(asked: Any) -> int:
    if isinstance(asked, int | float) and not isinstance(asked, bool) and asked >= 1:
        return int(min(asked, LARGEST_BATCH))
    return RECORD_BATCH
