"""Try it: connections, mappings, events, triggers. What is sent, what is told, and what is not."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from onward.destinations import tester
from onward.egress.http import EgressError
from onward.pipeline.samples import TYPES, sample_event
from onward.pipeline.validate import discard_code
from onward.workspace.entities import Workspace
from onward.workspace.store import Actor, Store
from onward.workspace.tokens import create_token

from .conftest import Call
from .tool import BASE, SECRET, Answering

Json = dict[str, Any]
EVENT = {
    "type": "track",
    "event": "Bought",
    "userId": "u1",
    "properties": {"email": "ada@example.com", "amount": "42"},
}


@pytest.fixture
async def tool(call: Call, source: Json) -> Json:
    """A destination at the tool, with a mapping for tracks and one for pages, and a broken one."""
    body = {"sourceId": source["id"], "metadataId": "tool", "settings": {"apiKey": SECRET}}
    made = dict((await call("POST", "/destinations", body))["destination"])
    made["mappings"] = {}
    for name, action, trigger, enabled in (
        ("Tracks", "upsert", 'type = "track"', True),
        ("Pages", "upsert", 'type = "page"', True),
        ("Broken", "broken", 'event = "Break"', False),
    ):
        body = {"name": name, "actionId": action, "trigger": trigger, "enabled": enabled}
        created = await call("POST", f"/destinations/{made['id']}/subscriptions", body)
        made["mappings"][name] = created["destinationSubscription"]["id"]
    return made


def path(tool: Json, name: str) -> str:
    return f"/destinations/{tool['id']}/subscriptions/{tool['mappings'][name]}/test"


async def test_a_connection(call: Call, tool: Json, http: Answering) -> None:
    url = f"/destinations/{tool['id']}/test-connection"
    found = (await call("POST", url))["connection"]
    assert found["status"] == "CONNECTED"
    (exchange,) = found["exchanges"]
    assert exchange["request"]["url"] == f"{BASE}/me"
    assert exchange["request"]["headers"] == {"authorization": "•••", "x-key": "•••"}
    assert json.loads(exchange["request"]["body"]) == {"key": "•••"}
    assert exchange["response"] == {"status": 200, "headers": {}, "body": '{"ok":true}'}
    assert exchange["durationMs"] >= 0 and exchange["error"] is None
    http.status, http.body = 401, f"bad key {SECRET}"
    found = (await call("POST", url))["connection"]
    assert found["status"] == "FAILED" and found["message"] == 'refused •••: "bad key •••"'
    http.error = EgressError("ENOTFOUND", "no such host")
    found = (await call("POST", url))["connection"]
    assert (found["status"], found["message"]) == ("FAILED", "ENOTFOUND: no such host")


async def test_a_tool_that_cannot_be_asked(call: Call, destination: Json) -> None:
    found = (await call("POST", f"/destinations/{destination['id']}/test-connection"))["connection"]
    assert (found["status"], found["exchanges"]) == ("UNTESTED", [])


async def test_a_mapping_is_tested_with_what_goes_out_and_comes_back(
    call: Call, tool: Json, http: Answering
) -> None:
    found = (await call("POST", path(tool, "Tracks"), {"payload": EVENT}))["test"]
    assert found["matched"] and found["problem"] is None
    assert found["payload"] == {"email": "ada@example.com", "amount": 42}
    assert found["outcome"] == {"kind": "delivered", "code": "", "message": "", "retryAfter": None}
    (exchange,) = found["exchanges"]
    assert json.loads(exchange["request"]["body"]) == {"key": "•••", **found["payload"]}
    (sent,) = http.requests
    assert json.loads(sent.body)["key"] == SECRET, "the tool gets the real one"
    assert (found["name"], found["actionSlug"]) == ("Tracks", "upsert")


async def test_a_mapping_is_tested_also_if_it_is_disabled_or_edited(
    call: Call, tool: Json, http: Answering
) -> None:
    body = {"payload": EVENT | {"event": "Break"}}
    found = (await call("POST", path(tool, "Broken"), body))["test"]
    assert found["outcome"]["code"] == "INTERNAL"
    assert found["outcome"]["message"] == "RuntimeError: a bug, and ••• in its message"
    edited = {"trigger": 'event = "Bought"', "settings": {"email": "fixed@example.com"}}
    found = (await call("POST", path(tool, "Pages"), {"payload": EVENT, **edited}))["test"]
    assert found["payload"] == {"email": "fixed@example.com"} and len(http.requests) == 1
    saved = await call("GET", path(tool, "Pages").removesuffix("/test"))
    assert saved["subscription"]["trigger"] == 'type = "page"', "nothing is saved"


async def test_what_does_not_match_or_map_is_not_sent_and_says_why(
    call: Call, tool: Json, http: Answering
) -> None:
    found = (await call("POST", path(tool, "Pages"), {"payload": EVENT}))["test"]
    assert not found["matched"] and found["outcome"] is None
    assert found["payload"] == {"email": "ada@example.com", "amount": 42}, "as it would be"
    wrong = EVENT | {"properties": {"email": "nobody"}}
    found = (await call("POST", path(tool, "Tracks"), {"payload": wrong}))["test"]
    assert found["payload"] is None and found["outcome"] is None
    assert found["problem"]["code"] == "MESSAGE_REJECTED" and found["problem"]["fields"] == ["/email"]
    assert "Email" in found["problem"]["message"]
    body = {
        "payload": EVENT,
        "settings": {"email": {"@case": {"operator": "shout", "value": {"@path": "$.event"}}}},
    }
    found = (await call("POST", path(tool, "Tracks"), body))["test"]
    assert found["problem"]["fields"] == ["/email"]
    assert http.requests == []


async def test_a_dry_run_shows_the_request_and_sends_nothing(call: Call, tool: Json, http: Answering) -> None:
    found = (await call("POST", path(tool, "Tracks"), {"payload": EVENT, "send": False}))["test"]
    (exchange,) = found["exchanges"]
    assert exchange["request"]["method"] == "POST" and exchange["response"] is None
    assert json.loads(exchange["request"]["body"])["email"] == "ada@example.com"
    assert found["outcome"] is None and http.requests == []


async def test_a_mapping_that_is_not_saved(call: Call, tool: Json, http: Answering) -> None:
    url = f"/destinations/{tool['id']}/test-mapping"
    found = (await call("POST", url, {"actionId": "upsert", "payload": EVENT}))["test"]
    assert found["matched"] and found["payload"]["amount"] == 42 and found["subscriptionId"] == ""
    action = (await call("GET", "/catalog/destinations/tool"))["destinationMetadata"]["actions"][0]
    body = {"actionId": action["id"], "trigger": 'type = "page"', "settings": {}, "payload": EVENT}
    found = (await call("POST", url, body))["test"]
    assert not found["matched"] and found["problem"]["fields"] == ["/email"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"trigger": "type = track and ("}, "trigger"),
        ({"settings": {"nope": 1}}, "settings.nope"),
        ({"settings": {"email": {"@path": 1}}}, "settings.email.@path"),
        ({"payload": None}, "payload"),
        ({"messageId": "m1"}, "payload"),
        ({"payload": {"type": "track", "userId": "u"}}, "payload"),
        ({"payload": {"type": "nonsense", "userId": "u"}}, "payload"),
        ({"colour": 1}, "colour"),
    ],
)
async def test_what_is_wrong_is_told_where(call: Call, tool: Json, change: Json, field: str) -> None:
    body = {"payload": EVENT} | change
    (error,) = await call("POST", path(tool, "Tracks"), body, status=422)
    assert error["field"] == field and error["message"]


async def test_an_event_of_the_debugger(call: Call, tool: Json, http: Answering) -> None:
    body: Json = {"messageId": "m2", "settings": {"email": "x@example.com"}}
    (error,) = await call("POST", path(tool, "Tracks"), body, status=422)
    assert error["field"] == "messageId" and "no_user_anon_id" in error["message"], "as the door would say"
    (error,) = await call("POST", path(tool, "Tracks"), {"messageId": "gone"}, status=422)
    assert error["field"] == "messageId" and "500" in error["message"]
    found = (await call("POST", path(tool, "Tracks"), body | {"messageId": "m3"}))["test"]
    assert found["matched"] and found["outcome"]["kind"] == "delivered"
    previewed = (await call("POST", f"/destinations/{tool['id']}/preview", {"messageId": "m3"}))["preview"]
    assert [each["name"] for each in previewed["results"]] == ["Tracks"]


async def test_an_event_goes_through_all_enabled_mappings_past_the_filters(
    call: Call, tool: Json, http: Answering, source: Json
) -> None:
    url = f"/destinations/{tool['id']}/test-event"
    drop = {
        "sourceId": source["id"],
        "if": "all",
        "actions": [{"type": "DROP"}],
        "title": "All",
        "enabled": True,
    }
    made = (await call("POST", f"/destination/{tool['id']}/filters", drop))["filter"]
    body = {"name": "Again", "actionId": "upsert", "trigger": 'event = "Bought"', "enabled": True}
    await call("POST", f"/destinations/{tool['id']}/subscriptions", body)
    found = (await call("POST", url, {"payload": EVENT}))["test"]
    assert (found["matched"], found["requests"], found["success"]) == (2, 2, True)
    assert found["bypassed"] == {"code": "FILTERED_BY_RULES", "message": "", "filterId": made["id"]}
    assert {each["name"]: each["matched"] for each in found["results"]} == {
        "Tracks": True,
        "Pages": False,
        "Again": True,
    }, "only the enabled ones"
    assert len(http.requests) == 2
    http.status = 503
    found = (await call("POST", url, {"payload": EVENT}))["test"]
    assert not found["success"] and found["message"] == "0 of 2 matching mappings delivered"
    assert [each["outcome"]["kind"] for each in found["results"] if each["matched"]] == ["retry", "retry"]
    nothing = {"payload": {"type": "group", "groupId": "g", "userId": "u"}}
    found = (await call("POST", url, nothing))["test"]
    assert (found["matched"], found["success"], found["message"]) == (0, False, tester.NO_MATCH)


async def test_a_preview_explains_every_step_and_sends_nothing(
    call: Call, tool: Json, http: Answering, source: Json
) -> None:
    url = f"/destinations/{tool['id']}/preview"
    found = (await call("POST", url, {"payload": EVENT}))["preview"]
    assert found["stopped"] is None and found["enabled"] is False
    assert [(step["stage"], step["name"], step["passed"]) for step in found["steps"]] == [
        ("admission", "", True),
        ("trigger", "Tracks", True),
        ("trigger", "Pages", False),
        ("triggers", "", True),
        ("mapping", "Tracks", True),
    ]
    (result,) = found["results"]
    assert result["payload"] == {"email": "ada@example.com", "amount": 42} and result["exchanges"] == []
    filter: Json = {
        "sourceId": source["id"],
        "if": 'event = "Bought"',
        "actions": [{"type": "DROP_PROPERTIES", "fields": {"properties": ["amount"]}}],
        "title": "No amounts",
        "enabled": True,
    }
    made = (await call("POST", f"/destination/{tool['id']}/filters", filter))["filter"]
    found = (await call("POST", url, {"payload": EVENT}))["preview"]
    assert [step["name"] for step in found["steps"] if step["stage"] == "filter"] == ["No amounts"]
    assert found["results"][0]["payload"] == {"email": "ada@example.com"}
    change = {"actions": [{"type": "DROP"}]}
    await call("PATCH", f"/destination/{tool['id']}/filters/{made['id']}", change)
    found = (await call("POST", url, {"payload": EVENT}))["preview"]
    assert found["stopped"]["code"] == "FILTERED_BY_RULES" and found["stopped"]["filterId"] == made["id"]
    assert found["results"] == [] and http.requests == []


async def test_triggers_are_read_and_tried(call: Call) -> None:
    url = "/triggers/preview"
    trigger = 'type = "track" and properties.amount > 10'
    found = await call(
        "POST", url, {"trigger": trigger, "payload": {"type": "track", "properties": {"amount": 42}}}
    )
    assert found["matches"] is True and found["error"] is None
    assert found["ast"] == {
        "type": "group",
        "operator": "and",
        "children": [
            {"type": "event-type", "operator": "=", "value": "track"},
            {"type": "event-property", "name": "amount", "operator": ">", "value": 10},
        ],
    }
    assert (await call("POST", url, {"trigger": trigger, "payload": {}}))["matches"] is False
    found = await call("POST", url, {"trigger": 'type = "track" or or', "payload": EVENT})
    assert found["matches"] is False and found["ast"] is None
    assert found["error"]["position"] == 18 and found["error"]["message"]


async def test_conditions_become_a_trigger_and_come_back(call: Call) -> None:
    form = (await call("GET", "/triggers/form"))["form"]["subjects"]
    (properties,) = [each for each in form if each["subject"] == "event-property"]
    assert properties["named"] is True
    assert {"operator": ">", "label": "is more than", "value": "number"} in properties["operators"]
    conditions = [
        {"type": "event-type", "operator": "=", "value": "track"},
        {"type": "event-property", "name": "amount", "operator": ">", "value": 10},
    ]
    url = "/triggers/generate"
    made = (await call("POST", url, {"match": "all", "conditions": conditions}))["generated"]
    assert made == {"trigger": 'type = "track" and properties.amount > 10', "error": None}
    tree = (await call("POST", "/triggers/preview", {"trigger": made["trigger"], "payload": {}}))["ast"]
    assert tree["children"] == conditions
    wrong = [{"type": "event-property", "name": "amount", "operator": ">", "value": "ten"}]
    made = (await call("POST", url, {"conditions": wrong}))["generated"]
    assert made == {"trigger": None, "error": "> needs a number"}


@given(type=st.sampled_from(TYPES), dice=st.randoms(), now=st.integers(0, 4_000_000_000_000))
def test_sample_events_are_events_that_the_door_takes(type: str, dice: Any, now: int) -> None:
    event = sample_event(type, dice, now)
    assert discard_code(event) is None and event["type"] == type
    json.dumps(event)


async def test_a_sample_event_can_be_had_and_tried(call: Call, tool: Json) -> None:
    for type in TYPES:
        event = (await call("GET", f"/catalog/sample-event?type={type}"))["event"]
        assert event["type"] == type
        await call("POST", f"/destinations/{tool['id']}/preview", {"payload": event})
    assert (await call("GET", "/catalog/sample-event"))["event"]["type"] == "track"
    assert (await call("GET", "/catalog/sample-event?type=x", status=422))[0]["field"] == "type"


async def test_a_test_ends_in_time_and_holds_up_nobody(
    call: Call, client: httpx.AsyncClient, tool: Json, http: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tester, "GRACE", 0.0)
    await call("PATCH", f"/destinations/{tool['id']}", {"delivery": {"timeout": 1}})
    http.hang = True
    waiting = asyncio.create_task(call("POST", path(tool, "Tracks"), {"payload": EVENT}))
    while not http.requests:
        await asyncio.sleep(0)
    await call("GET", "/catalog/sample-event")
    assert not waiting.done(), "others are answered in the meantime"
    found = (await waiting)["test"]
    assert found["outcome"]["code"] == "ETIMEDOUT" and found["outcome"]["kind"] == "retry"
    (exchange,) = found["exchanges"]
    assert exchange["error"]["code"] == "ECONNABORTED" and exchange["response"] is None


async def test_what_does_not_exist(call: Call, tool: Json) -> None:
    await call("POST", "/destinations/nope/test-connection", status=404)
    await call("POST", f"/destinations/{tool['id']}/subscriptions/nope/test", {"payload": EVENT}, status=404)
    body = {"actionId": "nope", "payload": EVENT}
    (error,) = await call("POST", f"/destinations/{tool['id']}/test-mapping", body, status=422)
    assert error["field"] == "actionId"


async def test_who_may_test(
    call: Call, client: httpx.AsyncClient, tool: Json, source: Json, store: Store, http: Answering
) -> None:
    with store.reading() as session:
        workspace_id = session.scalars(select(Workspace.id)).one()
    mine = {"type": "SOURCE", "id": source["id"]}
    with store.changing(workspace_id, Actor(id="test")) as editor:
        for role in ("source-admin", "source-read-only"):
            create_token(editor, name=role, token=f"token-of-{role}", role=role, resources=[mine])
    writes = [path(tool, "Tracks"), f"/destinations/{tool['id']}/test-event"]
    preview = f"/destinations/{tool['id']}/preview"

    async def status(role: str, url: str, body: Json) -> int:
        headers = {"authorization": f"Bearer token-of-{role}"}
        return (await client.post(url, json=body, headers=headers)).status_code

    for url in writes:
        assert await status("source-admin", url, {"payload": EVENT}) == 200
        assert await status("source-read-only", url, {"payload": EVENT}) == 403
    assert await status("source-read-only", preview, {"payload": EVENT}) == 200
    sent = len(http.requests)
    for url in (preview, *writes):  # an event of people's, in clear: that takes leave to see personal data
        assert await status("source-admin", url, {"messageId": "m3"}) == 403
    assert len(http.requests) == sent
