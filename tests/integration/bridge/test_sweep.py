"""Every action of the catalogue, on the same events by Onward's way and by actions-core's own.

Python maps and validates here, and JavaScript performs; there, actions-core does all of it. Whether it comes
to something, and each request on the way, must be the same. `failures.tsv` lists the actions that these
made-up settings and events are not good enough for, and why; nothing else may fail.
"""

import csv
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from integration.bridge import samples
from integration.bridge.tools import HERE, Caller, Reference, Tool

from onward.destinations.bridge.host import Bridge
from onward.destinations.definition import Action, Definition
from onward.destinations.outcome import DELIVERED, Outcome
from onward.pipeline import payloads
from onward.pipeline.mapping import MappingError
from onward.pipeline.route import REJECTED

BODY = {"ok": True, "id": "1", "data": {"id": "1"}, "access_token": "t", "status": "success"}
BATCH = 3
UNSERVED = "INVALID_SETTINGS"
AUTH = {"accessToken": "at", "refreshToken": "rt"}

VOLATILE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # UUIDs
    r"|20\d\d-\d\d-\d\d([T ]\d\d:\d\d:\d\d(\.\d+)?Z?)?"  # dates
    r"|\b1[78]\d{8}(\d{3})?\b"  # seconds and milliseconds of these years
    r"|[0-9a-f]{32,128}\b|[A-Za-z0-9+/_-]{40,}={0,2}"  # digests, signatures
)


def normal(method: str, url: str, body: str) -> tuple[str, str, str]:
    """A request without what differs from one time to the next, and with the keys of JSON in order."""
    with suppress(ValueError):
        body = json.dumps(json.loads(body), sort_keys=True)
    return method, VOLATILE.sub("…", url), VOLATILE.sub("…", body)


def shown(outcome: Outcome | None) -> str:
    if outcome is None or outcome == DELIVERED:
        return "delivered"
    return f"{outcome.kind} {outcome.code} {outcome.message}"[:90].replace("\t", " ").replace("\n", " ")


async def ours(
    caller: Caller, action: Action, events: list[dict[str, Any]], batch: bool
) -> tuple[Outcome, list[tuple[str, str, str]]]:
    """The outcome of the first event, and the requests of all."""
    mapping = caller.mapping | ({"enable_batching": batch} if action.batches else {})
    compiled = payloads.compile(mapping, action.fields, batches=action.batches)
    try:
        made = [compiled(event) for event in events]
    except MappingError as error:
        return Outcome("discarded", REJECTED, str(error)), []
    outcome = await action.perform(caller.call(events), made)
    first = outcome[0] if isinstance(outcome, list) else outcome
    return first, [
        normal(request.method, request.url, request.body.decode("latin-1"))
        for request in caller.tool.requests
    ]


def theirs(
    reference: Reference, directory: str, action: Action, caller: Caller, events: list[Any], batch: bool
) -> tuple[bool, str, list[tuple[str, str, str]]]:
    """Whether it was delivered, what came of it, and the requests."""
    own = action.perform.own_flag  # type: ignore[attr-defined]
    mapping = {key: value for key, value in caller.mapping.items() if key != "enable_batching"}
    if own and "enable_batching" in action.fields:
        mapping["enable_batching"] = batch
    result = reference.ask(
        directory=directory,
        action=action.slug,
        batch=batch,
        events=events,
        mapping=mapping,
        settings={key: value for key, value in caller.settings.items() if not key.startswith("oauth_")},
        auth=AUTH if "oauth_access_token" in caller.settings else {},
        answer={"status": 200, "reason": "OK", "body": json.dumps(BODY)},
        id=caller.destination_id,
    )
    requests = [normal(each["method"], each["url"], each["body"]) for each in result["requests"]]
    if "error" in result:
        return False, result["error"], requests
    if batch:
        node = result["nodes"][0]
        return node["status"] < 400, str(node.get("errormessage")), requests
    return True, "", requests


def cases(catalogue: Mapping[str, Definition], batch: bool) -> list[tuple[Definition, Action]]:
    return [
        (definition, action)
        for definition in catalogue.values()
        for action in definition.actions.values()
        if action.batches or not batch
    ]


def listed(batch: bool) -> dict[str, str]:
    with (HERE / "failures.tsv").open() as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {name: why for way, name, why in rows if (way == "batch") == batch}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("batch", [False, True], ids=["single", "batch"])
async def test_every_action(
    catalogue: Mapping[str, Definition], bridge: Bridge, reference: Reference, batch: bool
) -> None:
    found: dict[str, str] = {}
    differences: dict[str, str] = {}
    delivered = requested = 0
    for definition, action in cases(catalogue, batch):
        name = f"{definition.slug}.{action.slug}"
        directory = action.perform.of.directory  # type: ignore[attr-defined]
        tool = Tool()
        tool.answer = lambda request: (200, BODY)
        caller = Caller(
            catalogue, bridge, tool, samples.settings(definition), samples.mapping(action), definition.slug
        )
        kind = samples.kind_of(action)
        events = [samples.event(kind, f"m-{n}") for n in range(BATCH if batch else 1)]
        outcome, requests = await ours(caller, action, events, batch)
        if outcome == DELIVERED:
            delivered += 1
            requested += bool(requests)
        else:
            found[name] = shown(outcome)
        if outcome.code == UNSERVED:
            continue
        good, why, expected = theirs(reference, directory, action, caller, events, batch)
        if good != (outcome == DELIVERED):
            differences[name] = f"{shown(outcome)}; actions-core: {good} {why}"
        elif sorted(requests) != sorted(expected):
            differences[name] = f"requested {requests}; actions-core: {expected}"
    assert {name: why for name, why in differences.items() if name not in DIFFERENT[batch]} == {}
    assert differences.keys() == DIFFERENT[batch].keys()
    assert found == listed(batch)
    assert (delivered, requested) >= ((411, 402) if not batch else (100, 100))


DIFFERENT: dict[bool, dict[str, str]] = {
    False: {
        "actions-hubspot-cloud.upsertCompany": "the contact's mapping has left its id for the company's here",
        "actions-blend-ai.sendData": "it sends all that an action has at hand, which is not the same in all",
    },
    True: {
        "actions-amazon-conversions-api.trackConversion": "an error for an event is one, also if it says 200",
    },
}
"""Where Onward's way is another, and why."""
