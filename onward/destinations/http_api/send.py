"""The action Send: one request for one event, or one for many.

What if the process dies here? The request is repeated; with an idempotency header it has the same key then,
so that the API can tell.
"""

import asyncio
import time
from collections.abc import Sequence
from uuid import uuid4

from onward.destinations.definition import Call, Payload
from onward.destinations.http_api import auth, build, results
from onward.destinations.oauth import TokenError
from onward.destinations.outcome import Outcome, discarded, from_error
from onward.egress.http import EgressError, Request, Response
from onward.pipeline.types import Event

AT_ONCE = 8
"""Requests under way for one batch whose payloads can't share one."""
KEEP = 8_000_000
"""Bytes of an answer that tells a result of each payload."""

Place = int


async def perform(call: Call, payloads: Sequence[Payload]) -> Outcome | list[Outcome]:
    """As few requests as the payloads allow."""
    outcomes: dict[Place, Outcome] = {}
    groups: dict[tuple[bytes, Place], list[Place]] = {}
    for place, payload in enumerate(payloads):
        try:
            batched = payload.get("enable_batching") is True and build.body_format(payload) in (
                "json",
                "text",
            )
            groups.setdefault((build.shared(payload), -1 if batched else place), []).append(place)
        except (ValueError, TypeError) as error:
            outcomes[place] = discarded("MESSAGE_REJECTED", str(error))
    turns = asyncio.Semaphore(AT_ONCE)
    await asyncio.gather(
        *(
            _send(call, turns, payloads, places, outcomes, batched=alone < 0)
            for (_, alone), places in groups.items()
        )
    )
    return [outcomes[place] for place in range(len(payloads))]


async def _send(
    call: Call,
    turns: asyncio.Semaphore,
    payloads: Sequence[Payload],
    places: Sequence[Place],
    outcomes: dict[Place, Outcome],
    *,
    batched: bool,
) -> None:
    """One request for the payloads at `places`; sets their outcomes."""
    first = payloads[places[0]]
    try:
        kind = build.body_format(first)
        success = results.statuses(str(first.get("success_statuses") or results.SUCCESS))
        again = results.statuses(str(first.get("retry_statuses") or ""))
        steps = results.path(str(first.get("results_path") or ""))
        bodies: list[bytes] = []
        sent: list[Place] = []
        for place in places:
            try:
                bodies.append(build.encode(payloads[place], kind))
                sent.append(place)
            except ValueError as error:
                outcomes[place] = discarded("MESSAGE_REJECTED", str(error))
        if not sent:
            return
        request = _request(call, first, kind, bodies, [_event(call, place) for place in sent], batched)
    except ValueError as error:
        outcomes.update(dict.fromkeys(places, discarded("MESSAGE_REJECTED", str(error))))
        return
    async with turns:
        answer = await _exchange(call, request)
    if isinstance(answer, Outcome):
        told: Outcome | list[Outcome] = answer
    else:
        told = results.of_response(answer, success, again, time.time())
        if told.kind == "delivered" and steps:
            told = results.of_items(
                answer.body, steps, str(first.get("results_kind")), len(sent), success, again
            )
    each = told if isinstance(told, list) else [told] * len(sent)
    outcomes.update(zip(sent, each, strict=True))


async def _exchange(call: Call, request: Request | Outcome) -> Response | Outcome:
    """The answer, or what its lack means for the payloads."""
    if isinstance(request, Outcome):
        return request
    try:
        return await auth.send(call, request)
    except ValueError as error:
        return discarded("INVALID_SETTINGS", str(error))
    except TokenError as error:
        return error.outcome
    except EgressError as error:
        return from_error(error)


def _request(
    call: Call, first: Payload, kind: str, bodies: Sequence[bytes], events: Sequence[Event], batched: bool
) -> Request | Outcome:
    """The request, or an outcome if the settings don't allow one. Raises ValueError for faults of the
    payload."""
    settings = call.settings
    try:
        base = build.checked_base(settings.get("base_url"))
        fixed = settings.get("headers") or {}
        if not isinstance(fixed, dict):
            raise ValueError("headers is not an object")
    except ValueError as error:
        return discarded("INVALID_SETTINGS", str(error))
    batch = str(first.get("batch_format") or build.BATCHES[0])
    if batch not in build.BATCHES:
        raise ValueError(f"batch_format is {batch!r:.50}; it may be {', '.join(build.BATCHES)}")
    body = (
        build.join(bodies, kind, batch, str(first.get("batch_member") or "batch")) if batched else bodies[0]
    )
    lines = batched and kind == "json" and batch == "lines"
    headers = build.headers(fixed, first, "lines" if lines else kind)
    verb, address = build.method(first), build.url(base, first)
    name = str(settings.get("idempotency_header") or "").strip().lower()
    if name:
        ids = [each["messageId"] for each in events if isinstance(each.get("messageId"), str)]
        known = len(ids) == len(bodies)
        headers[name] = (
            build.idempotency_key(call.destination_id, verb, address, ids, body) if known else str(uuid4())
        )
    return Request(
        method=verb,
        url=address,
        headers=headers,
        body=body,
        timeout=call.timeout,
        keep=KEEP if first.get("results_path") else None,
    )


def _event(call: Call, place: Place) -> Event:
    return call.events[place] if place < len(call.events) else {}


async def test(call: Call) -> str | None:
    """Asks for the test path: it must be answered with success; without one, by anything but a refusal."""
    path = str(call.settings.get("test_path") or "").strip()
    try:
        request = _request(call, {"method": "GET", "path": path}, "none", [b""], [], False)
    except ValueError as error:
        return str(error)
    answer = await _exchange(call, request)
    if isinstance(answer, Outcome):
        return f"{answer.code}: {answer.message}"
    if answer.status in (401, 403, 407):
        return f"the API refuses the credentials (it answered {answer.status})"
    if path and not 200 <= answer.status < 300:
        return f"{path} was answered {answer.status}"
    return None
