"""What went wrong in a function, gathered from where it runs."""

import json
import time
from typing import Any, NamedTuple

from litestar import Litestar

from onward.delivery.state.protocol import Changes
from onward.delivery.state.sqlite import SqliteStateStore
from onward.eventlog.protocol import Position
from onward.metering.fates import Sample

from .conftest import Call, ClientOf
from .test_event_delivery import sample

Json = dict[str, Any]


async def make(call: Call, kind: str, name: str = "F") -> Json:
    body = {"displayName": name, "resourceType": kind, "code": "// 1"}
    return dict((await call("POST", "/functions", body))["function"])


def failed(instance: Json, function: Json, at: int, **fields: Any) -> Sample:
    trace = {
        "functionId": function["id"],
        "versionId": instance["version"]["versionId"],
        "instanceId": instance["id"],
        "handler": "onTrack",
        "events": 1,
        "kind": "Bad Request",
        "message": "no such field",
        "error": {"name": "TypeError", "message": "no such field", "line": 3, "stack": "at f (f.js:3:1)"},
        "logs": [{"at": 0, "level": "log", "text": "for ada@example.com"}],
        "lostLogs": 2,
        "uncaught": [],
        "wallMs": 1.5,
        "queueMs": 0.1,
        "cold": False,
    }
    return sample(at=at, code="BAD_REQUEST", trace=trace, **fields)


def keep(state: SqliteStateStore, destination_id: str, *samples: Sample) -> None:
    state.open_destination(destination_id, Position())
    changes = Changes()
    changes.samples = list(samples)
    state.commit([(destination_id, changes)], time.time())


async def test_failures_of_all_instances_come_the_newest_first(
    call: Call, source: Json, state: SqliteStateStore, client_of: ClientOf
) -> None:
    function = await make(call, "DESTINATION")
    body = {"sourceId": source["id"], "metadataId": function["catalogId"]}
    one, two = [
        (await call("POST", "/destinations", body | {"name": name}))["destination"] for name in ("one", "two")
    ]
    keep(state, one["id"], failed(one, function, 1_000), failed(one, function, 3_000, message_id="m3"))
    unsupported = {"code": "UNSUPPORTED_EVENT_TYPE", "message": "the function has no onPage"}
    keep(state, two["id"], sample(at=2_000, exchanges=[], **unsupported))
    path = f"/functions/{function['id']}/logs"
    third, second, first = (await call("GET", path))["logs"]
    assert [each["instanceId"] for each in (third, second, first)] == [one["id"], two["id"], one["id"]]
    assert third | {"input": 0, "exchanges": 0} == {
        "time": "1970-01-01T00:00:03.000Z",
        "instanceId": one["id"],
        "sourceName": source["name"],
        "destinationName": "one",
        "versionNumber": 1,
        "outcome": "discarded",
        "code": "BAD_REQUEST",
        "kind": "Bad Request",
        "message": "ada@example.com is unknown",
        "handler": "onTrack",
        "events": 1,
        "attempt": 1,
        "messageId": "m3",
        "line": 3,
        "stack": "at f (f.js:3:1)",
        "logs": [{"level": "log", "text": "for ada@example.com"}],
        "lostLogs": 2,
        "uncaught": [],
        "wallMs": 1.5,
        "input": 0,
        "exchanges": 0,
    }
    assert third["input"]["properties"]["phone"] == "0228" and len(third["exchanges"]) == 1
    assert (second["kind"], second["message"]) == (None, unsupported["message"])
    assert len((await call("GET", path, params={"count": 2}))["logs"]) == 2
    # Who may not see personal data, and who may not see events at all.
    own = [{"type": "SOURCE", "id": source["id"]}]
    async with client_of({"function-read-only": [], "source-admin": own}) as client:
        text = (await client.get(path)).text
        assert '"onTrack"' in text and "ada@" not in text and "0228" not in text
    async with client_of({"function-read-only": []}) as client:
        assert (await client.get(path)).json()["data"] == {"logs": [], "hidden": 2}


async def test_of_an_insert_function_only_its_own_failures_are_told(
    call: Call, destination: Json, state: SqliteStateStore
) -> None:
    function = await make(call, "INSERT_DESTINATION")
    body = {"functionId": function["id"], "integrationId": destination["id"], "name": "i", "settings": {}}
    instance = (await call("POST", "/insert-function-instances", body))["insertFunctionInstance"]
    keep(
        state,
        destination["id"],
        sample(at=1_000),
        failed(instance, function, 2_000, outcome="filtered"),
        failed(instance | {"id": "former"}, function, 3_000, outcome="filtered"),
    )
    (only,) = (await call("GET", f"/functions/{function['id']}/logs"))["logs"]
    assert (only["instanceId"], only["outcome"], only["time"]) == (
        instance["id"],
        "filtered",
        "1970-01-01T00:00:02.000Z",
    )


class Refused(NamedTuple):
    received_at: int
    code: str
    payload: bytes


async def test_requests_that_a_source_function_failed_for_are_told(
    call: Call, app: Litestar, client_of: ClientOf
) -> None:
    function = await make(call, "SOURCE")
    body = {"slug": "hook", "metadataId": function["catalogId"]}
    source = (await call("POST", "/sources", body, status=201))["source"]
    request = {
        "url": "https://here.example/v1/functions/abcd…",
        "headers": {},
        "body": {"email": "a@b.example"},
    }
    kept = {
        "type": "request",
        "request": request,
        "error": {"kind": "Message Rejected", "message": "not for a@b.example", "line": 4},
        "logs": ["got 1"],
    }
    app.state.refusals = lambda source_id, code, limit: [
        Refused(2_000, "message_rejected", json.dumps(kept).encode()),
        Refused(1_500, "message_rejected", json.dumps(kept).encode()[:40]),
        Refused(1_000, "no_user", b'{"type":"track","event":"E"}'),
    ]
    path = f"/functions/{function['id']}/logs"
    (only,) = (await call("GET", path))["logs"]
    told = {
        name: only[name] for name in ("instanceId", "kind", "message", "line", "handler", "logs", "input")
    }
    assert told == {
        "instanceId": source["id"],
        "kind": "Message Rejected",
        "message": "not for a@b.example",
        "line": 4,
        "handler": "onRequest",
        "logs": [{"level": "log", "text": "got 1"}],
        "input": request,
    }
    async with client_of({"function-read-only": [], "source-admin": []}) as client:
        text = (await client.get(path)).text
        assert "Message Rejected" in text and "a@b" not in text
