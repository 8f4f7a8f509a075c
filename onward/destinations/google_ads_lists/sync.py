"""The action Sync Audience: people added to and removed from user lists by offline user data jobs.

A job is made for one list and for additions or removals (Google refuses both in one), filled, and run. Google
matches its people later, up to a day: delivered means that the job is running. Operations that Google refuses
while the job is filled cost themselves; their places are counted within each request.

What if the process dies here? A job that was made and not run changes nothing, ever. The batch is sent again
as it was, in a job of its own; one that was run twice changes nothing either: a list holds each person once.
"""

import re
from collections.abc import Hashable, Sequence
from typing import cast

import orjson

from onward.destinations import audiences
from onward.destinations.audiences import Change
from onward.destinations.definition import Call, Json, Payload
from onward.destinations.google_ads_lists import api, people
from onward.destinations.google_ads_lists.people import How
from onward.destinations.outcome import DELIVERED, Outcome, retry

MOST_OPERATIONS = 3_000
"""In one request to fill a job. Google takes 100,000 identifiers in one, 20 of a person, and recommends
10,000 in one call: a person has three at most here."""
KEEP = 16_000_000
"""Bytes of the answer to that, which tells of each operation that was refused, in some 700 bytes."""
HOOKS = ("retlOnMappingSave", "onMappingSave")

_JOB = re.compile(r"customers/[0-9]+/offlineUserDataJobs/[0-9]+")


async def perform(call: Call, payloads: Sequence[Payload]) -> list[Outcome]:
    """A job for each list, direction and consent, one after the other: jobs of one list get into each
    other's way."""
    made = made_by_hook(call)
    judged = [
        people.change_of(
            call.settings,
            str(payload.get("list_id") or made).strip(),
            call.sync_mode,
            payload,
            call.events[place] if place < len(call.events) else {},
        )
        for place, payload in enumerate(payloads)
    ]
    merged = audiences.merge(change for change in judged if isinstance(change, Change))
    results: dict[tuple[str, Hashable], Outcome] = {}
    for (list_id, how), found in merged.items():
        outcomes = await _job(call, list_id, cast(How, how), cast(list[bytes], found))
        results.update({(list_id, person): each for person, each in zip(found, outcomes, strict=True)})
    return [
        audiences.outcome_of(change, results) if isinstance(change, Change) else change for change in judged
    ]


def made_by_hook(call: Call) -> str:
    """The list that was made when the mapping was saved."""
    for hook in HOOKS:
        kept = call.mapping.get(hook)
        outputs = kept.get("outputs") if isinstance(kept, dict) else None
        if isinstance(outputs, dict) and outputs.get("id"):
            return str(outputs["id"])
    return ""


async def _job(call: Call, list_id: str, how: How, found: Sequence[bytes]) -> list[Outcome]:
    """One outcome for each of `found`."""
    outcomes: list[Outcome] = []
    try:
        job = await _create(call, list_id, how)
        for start in range(0, len(found), MOST_OPERATIONS):
            outcomes += await _fill(call, job, how, found[start : start + MOST_OPERATIONS])
        if DELIVERED in outcomes:
            await api.ask(call, f"{job}:run", b"{}")
    except api.Refused as error:
        # Nothing of the job holds. What Google has refused for good stays refused.
        outcomes = [error.outcome if each.kind == "delivered" else each for each in outcomes]
        outcomes += [error.outcome] * (len(found) - len(outcomes))
    return outcomes


async def _create(call: Call, list_id: str, how: How) -> str:
    """The job's resource name. Raises `Refused`."""
    customer = api.customer(call.settings)
    metadata: Json = {"userList": f"customers/{customer}/userLists/{list_id}"}
    if how.consent:
        metadata["consent"] = dict(how.consent)
    job = {"type": "CUSTOMER_MATCH_USER_LIST", "customerMatchUserListMetadata": metadata}
    answer = await api.ask(
        call, f"customers/{customer}/offlineUserDataJobs:create", orjson.dumps({"job": job})
    )
    name = answer.get("resourceName")
    if not isinstance(name, str) or not _JOB.fullmatch(name):
        raise api.Refused(retry("RETRY", "Google answered without the new job's name"))
    return name


async def _fill(call: Call, job: str, how: How, found: Sequence[bytes]) -> list[Outcome]:
    """One outcome for each of `found`. Raises `Refused` if the whole request is worth another try, and so the
    whole job."""
    try:
        answer = await api.ask(call, f"{job}:addOperations", people.operations(how.add, found), keep=KEEP)
    except api.Refused as error:
        if error.outcome.kind == "retry":
            raise
        return [error.outcome] * len(found)
    return refused_in_part(answer, len(found))


def refused_in_part(answer: Json, count: int) -> list[Outcome]:
    """The outcomes of `count` operations, from a `partialFailureError`: where an error does not say which one
    it is of, it is of all. Pure."""
    outcomes = [DELIVERED] * count
    for error in api.errors(answer.get("partialFailureError")):
        outcome, place = api.outcome_of(error), _place(error)
        if place is None or not 0 <= place < count:
            return [outcome if each.kind == "delivered" else each for each in outcomes]
        outcomes[place] = audiences.worst([outcomes[place], outcome])
    return outcomes


def _place(error: Json) -> int | None:
    """Which of the request's operations an error is of."""
    location = error.get("location")
    path = location.get("fieldPathElements") if isinstance(location, dict) else None
    for element in path if isinstance(path, list) else ():
        if isinstance(element, dict) and element.get("fieldName") == "operations":
            index = element.get("index")
            return index if isinstance(index, int) else None
    return None
