"""Testers call the insert function of a destination, as deliveries do."""

import json
from typing import Any

import pytest
from litestar import Litestar
from sqlalchemy import text

from onward.api.recently import FRESH, KEPT, Recently
from onward.functions.errors import Kind
from onward.functions.selftest import NoBoundary
from onward.functions.trial import Trial
from onward.workspace.store import Store

from .conftest import Call, ClientOf
from .test_testing import EVENT, path
from .test_testing import tool as tool
from .tool import Answering

Json = dict[str, Any]


def trial(
    kind: Kind,
    value: Any = None,
    message: str = "",
    line: int | None = None,
    items: list[Json] | None = None,
) -> Trial:
    return Trial(
        handler="onTrack",
        ok=kind is Kind.OK,
        kind=kind,
        action="",
        message=message,
        line=line,
        stack=None,
        value=value,
        items=items,
        events=None,
        logs=[],
        lost_logs=0,
        uncaught=[],
        requests=[],
        load_ms=1.0,
        wall_ms=1.0,
        cpu_ms=1.0,
    )


class Workshop:
    """Stands for the sandbox: the function doubles the amount and adds its settings, or fails."""

    def __init__(self) -> None:
        self.asked: list[Json] = []

    async def try_out(self, code: str, payload: Any, settings: Json, **more: Any) -> Trial:
        self.asked.append({"code": code, "settings": settings, **more})
        batch = isinstance(payload, list)
        event = payload[0] if batch else payload
        amount = int(event["properties"]["amount"])
        kind, message, line, value, seen = Kind.OK, "", None, None, None
        if amount == 0:
            kind, message = Kind.DROPPED, "the function returned no event"
        elif amount < 0:
            kind, message, line = Kind.BAD_REQUEST, "no debts", 3
        else:
            value = event | {"properties": event["properties"] | {"amount": amount * 2, **settings}}
            seen = event | {"properties": event["properties"] | {"amount": amount * 2, "salt": "•••"}}
        more["keep"]([value])
        if batch:
            item = {"kind": kind.value, "action": "", "message": message, "event": seen}
            return trial(Kind.OK, items=[item])
        return trial(kind, seen, message, line)


def paying(amount: int) -> Json:
    return {"payload": EVENT | {"properties": {"email": "ada@example.com", "amount": amount}}}


async def insert(call: Call, tool: Json, code: str = "//") -> Json:
    """An insert function before the tool."""
    setting = {"name": "salt", "type": "STRING", "sensitive": True}
    body = {"displayName": "F", "resourceType": "INSERT_DESTINATION", "code": code, "settings": [setting]}
    function = (await call("POST", "/functions", body))["function"]
    before = {"functionId": function["id"], "integrationId": tool["id"], "name": "i", "enabled": True}
    await call("POST", "/insert-function-instances", before | {"settings": {"salt": "s4lt-secret"}})
    return dict(function)


@pytest.fixture
def workshop(app: Litestar) -> Workshop:
    made = Workshop()
    app.state.workshop = made
    return made


async def test_mappings_are_tested_with_what_it_returns(
    call: Call, workshop: Workshop, tool: Json, http: Answering
) -> None:
    await insert(call, tool)
    found = (await call("POST", path(tool, "Tracks"), paying(21)))["test"]
    assert "42" in json.dumps(found["payload"]) and "21" not in json.dumps(found["payload"])
    assert workshop.asked[0]["settings"] == {"salt": "s4lt-secret"} == workshop.asked[0]["secrets"]
    assert workshop.asked[0]["inserted"] is True

    sent = len(http.requests)
    found = (await call("POST", path(tool, "Tracks"), paying(0)))["test"]
    assert found["payload"] is None and found["problem"]["code"] == "FILTERED_AT_INSERT_FUNCTION"
    answer = await call("POST", path(tool, "Tracks"), paying(-1))
    problem, run = answer["test"]["problem"], answer["insertFunction"]
    assert problem["code"] == "bad_request" and "no debts (line 3)" in problem["message"]
    assert (run["name"], run["code"], run["message"]) == ("F (Default)", "bad_request", problem["message"])
    assert (run["trial"]["kind"], run["trial"]["line"]) == ("Bad Request", 3)
    assert len(http.requests) == sent, "nothing passes it"
    page = {"payload": {"type": "page", "userId": "u"}}
    answer = await call("POST", path(tool, "Tracks"), page)
    assert (answer["test"]["matched"], answer["insertFunction"]) == (False, None)
    assert len(workshop.asked) == 3, "triggers come before it"


async def test_a_preview_that_follows_typing_calls_it_once_for_an_event(
    call: Call, workshop: Workshop, tool: Json, app: Litestar
) -> None:
    await insert(call, tool)
    mapping = {name: {"@path": f"$.properties.{name}"} for name in ("email", "amount")}
    settings = [mapping | {"list": name} for name in ("A", "B")]
    first, second = [
        await call("POST", path(tool, "Tracks"), paying(21) | {"settings": each, "send": False})
        for each in settings
    ]
    assert first["test"]["payload"] != second["test"]["payload"] and "42" in json.dumps(first["test"])
    assert first["insertFunction"] == second["insertFunction"] and len(workshop.asked) == 1
    for asked, body in enumerate((paying(22) | {"send": False}, paying(21) | {"send": True}), 2):
        await call("POST", path(tool, "Tracks"), body)
        assert len(workshop.asked) == asked, "another event, and what is sent, go through it"


def test_what_was_found_out_is_fresh_for_a_while_and_little(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    recently = Recently[int]()
    for number in range(KEPT + 1):
        recently.keep(b"%d" % number, number)
    assert recently.find(b"0") is None and recently.find(b"1") == 1
    clock[0] += FRESH
    assert recently.find(b"1") is None


async def test_an_event_goes_through_it_once_however_many_mappings_it_meets(
    call: Call, workshop: Workshop, tool: Json, http: Answering
) -> None:
    function = await insert(call, tool)
    mapping = {name: {"@path": f"$.properties.{name}"} for name in ("email", "amount")}
    mapping["list"] = {"@path": "$.properties.salt"}
    for name in ("One", "Two"):
        body = {"name": name, "actionId": "upsert", "trigger": 'type = "track"', "enabled": True}
        body["settings"] = mapping
        await call("POST", f"/destinations/{tool['id']}/subscriptions", body)
    answer = await call("POST", f"/destinations/{tool['id']}/test-event", paying(21))
    assert answer["test"]["matched"] == 3 and len(workshop.asked) == 1
    met = [each for each in answer["test"]["results"] if each["matched"]]
    assert all("42" in json.dumps(each["payload"]) for each in met)
    assert any(b"s4lt-secret" in each.body for each in http.requests), "what it returned is sent as it is"
    assert "s4lt-secret" not in json.dumps(answer), "and shown masked"
    run = answer["insertFunction"]
    assert (run["functionId"], run["code"]) == (function["id"], "")
    assert run["trial"]["value"]["properties"]["amount"] == 42
    answer = await call("POST", f"/destinations/{tool['id']}/test-event", paying(0))
    assert {each["problem"]["code"] for each in answer["test"]["results"] if each["matched"]} == {
        "FILTERED_AT_INSERT_FUNCTION"
    }


async def test_a_preview_has_it_between_triggers_and_mappings(
    call: Call, workshop: Workshop, tool: Json, http: Answering, client_of: ClientOf
) -> None:
    await insert(call, tool)
    url = f"/destinations/{tool['id']}/preview"
    answer = await call("POST", url, paying(21))
    steps = answer["preview"]["steps"]
    assert [step["stage"] for step in steps][-3:] == ["triggers", "insert", "mapping"]
    assert steps[-2]["output"]["properties"]["amount"] == 42 and steps[-2]["name"] == "F (Default)"
    assert "42" in json.dumps(answer["preview"]["results"])
    assert answer["insertFunction"]["trial"]["ok"] is True
    preview = (await call("POST", url, paying(0)))["preview"]
    assert preview["stopped"]["code"] == preview["steps"][-1]["code"] == "FILTERED_AT_INSERT_FUNCTION"
    assert [step["stage"] for step in preview["steps"]][-1] == "insert"
    assert http.requests == [], "mappings send nothing"
    called = len(workshop.asked)
    async with client_of({"source-read-only": []}) as client:
        answer = (await client.post(url, json=paying(21))).json()["data"]
    assert answer["insertFunction"] is None and answer["preview"]["steps"][-1]["stage"] == "mapping"
    assert len(workshop.asked) == called, "who may not test does not call it"


async def test_one_with_a_batch_handler_alone_gets_the_event_in_an_array(
    call: Call, workshop: Workshop, tool: Json, store: Store
) -> None:
    function = await insert(call, tool)
    with store.engine.begin() as db:
        db.execute(text("UPDATE function_version SET handlers = '[\"onBatch\"]'"))
    await call("PATCH", f"/functions/{function['id']}", {"displayName": "G"})  # a new snapshot
    answer = await call("POST", path(tool, "Tracks"), paying(21))
    assert "42" in json.dumps(answer["test"]["payload"]) and workshop.asked[0]["handler"] == "onBatch"
    problem = (await call("POST", path(tool, "Tracks"), paying(0)))["test"]["problem"]
    assert problem["code"] == "FILTERED_AT_INSERT_FUNCTION"


async def test_where_functions_are_refused_the_test_says_so(call: Call, app: Litestar, tool: Json) -> None:
    class Refusing(Workshop):
        async def try_out(self, code: str, payload: Any, settings: Json, **more: Any) -> Trial:
            raise NoBoundary("the sandbox does not hold")

    app.state.workshop = Refusing()
    await insert(call, tool)
    answer = await call("POST", path(tool, "Tracks"), paying(21))
    assert "does not hold" in answer["test"]["problem"]["message"]
    assert (answer["insertFunction"]["code"], answer["insertFunction"]["trial"]) == ("internal", None)
