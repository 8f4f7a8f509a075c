"""The action Sync Audience: people added to and removed from customer lists, thousands in one request.

Pinterest answers for a request as a whole, and matches its records later, up to a day. A request that is
repeated changes nothing: lists hold each person once.

What if the process dies here? A batch is sent again as a whole, with the same effect as once.
"""

import asyncio
from collections.abc import Hashable, Sequence
from typing import cast

from onward.destinations import audiences, hashing
from onward.destinations.audiences import Change
from onward.destinations.definition import Call, Payload
from onward.destinations.outcome import DELIVERED, Outcome, discarded
from onward.destinations.pinterest_audiences import api
from onward.pipeline.types import Event

MOST_RECORDS = 10_000
"""In one request: 650 kB of hashes. Pinterest documents no limit; this is what other platforms send."""
AT_ONCE = 4
"""Requests under way for one batch; the rate limits for ads_write count by user and application."""
HOOKS = ("retlOnMappingSave", "onMappingSave")


async def perform(call: Call, payloads: Sequence[Payload]) -> list[Outcome]:
    """One request for each list and operation, as far as there is room in it."""
    judged = [
        change_of(call, payload, call.events[place] if place < len(call.events) else {})
        for place, payload in enumerate(payloads)
    ]
    requests = [
        (list_id, bool(add), cast(list[str], records[start : start + MOST_RECORDS]))
        for (list_id, add), records in audiences.merge(
            change for change in judged if isinstance(change, Change)
        ).items()
        for start in range(0, len(records), MOST_RECORDS)
    ]
    turns = asyncio.Semaphore(AT_ONCE)
    sent = await asyncio.gather(*(_update(call, turns, *request) for request in requests))
    results: dict[tuple[str, Hashable], Outcome] = {
        (list_id, record): outcome
        for (list_id, _, records), outcome in zip(requests, sent, strict=True)
        for record in records
    }
    return [
        audiences.outcome_of(change, results) if isinstance(change, Change) else change for change in judged
    ]


def change_of(call: Call, payload: Payload, event: Event) -> Change | Outcome:
    """What a payload asks for, or why it can't be done. Pure."""
    list_id = str(payload.get("list_id") or made_by_hook(call) or "").strip()
    if not api.is_id(list_id):
        return discarded(
            "MESSAGE_REJECTED",
            f"list_id is {list_id[:50]!r}, not the id of a customer list; map it, or let the mapping make a "
            "list",
        )
    add = audiences.operation(payload, event, call.sync_mode)
    if add is None:
        return discarded(
            "MESSAGE_REJECTED",
            "the event does not say whether the person is added or removed; set operation, or the sync mode "
            "to add or delete",
        )
    records = tuple(dict.fromkeys(filter(None, _records(payload))))
    if not records:
        return discarded(
            "MESSAGE_REJECTED",
            "there is nothing to know the person by: email is no address, and no mobile advertising id is "
            "mapped",
        )
    return Change(list_id, add, records)


def made_by_hook(call: Call) -> str:
    """The list that was made when the mapping was saved."""
    for hook in HOOKS:
        kept = call.mapping.get(hook)
        outputs = kept.get("outputs") if isinstance(kept, dict) else None
        if isinstance(outputs, dict) and outputs.get("id"):
            return str(outputs["id"])
    return ""


def _records(payload: Payload) -> Sequence[str]:
    """ "Any combination of emails, MAIDs, or IDFAs", hashed: the kind is that of the list."""
    email = payload.get("email")
    devices = payload.get("mobile_advertising_id")
    return (
        hashing.hashed(email, hashing.email) if isinstance(email, str) else "",
        # How devices are to be spelled before they are hashed is not documented: they stay as they come.
        hashing.hashed(devices, hashing.trim) if isinstance(devices, str) else "",
    )


async def _update(
    call: Call, turns: asyncio.Semaphore, list_id: str, add: bool, records: list[str]
) -> Outcome:
    body = {"operation_type": "ADD" if add else "REMOVE", "records": ",".join(records)}
    try:
        async with turns:
            answer = await api.ask(call, "PATCH", f"/customer_lists/{list_id}", body)
    except api.Refused as error:
        return error.outcome
    exceptions = answer.get("exceptions")
    if isinstance(exceptions, dict) and exceptions.get("message"):
        return discarded("MESSAGE_REJECTED", f"list {list_id}: {exceptions['message']}")
    return DELIVERED
