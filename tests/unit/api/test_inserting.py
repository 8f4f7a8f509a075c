"""Testers call the insert function of a destination, as deliveries do."""

import json
from typing import Any

from litestar import Litestar

from onward.functions.errors import Kind
from onward.functions.trial import Trial

from .conftest import Call
from .test_testing import EVENT, path
from .test_testing import tool as tool
from .tool import Answering

Json = dict[str, Any]


def trial(kind: Kind, value: Any = None, message: str = "", line: int | None = None) -> Trial:
    return Trial(
        handler="onTrack",
        ok=kind is Kind.OK,
        kind=kind,
        action="",
        message=message,
        line=line,
        stack=None,
        value=value,
        items=None,
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
    """Stands for the sandbox: the function doubles the amount, or fails."""

    def __init__(self) -> None:
        self.asked: list[Json] = []

    async def try_out(self, code: str, payload: Json, settings: Json, **more: Any) -> Trial:
        self.asked.append({"code": code, "settings": settings, **more})
        amount = int(payload["properties"]["amount"])
        if amount == 0:
            return trial(Kind.DROPPED, message="the function returned no event")
        if amount < 0:
            return trial(Kind.BAD_REQUEST, message="no debts", line=3)
        return trial(Kind.OK, payload | {"properties": payload["properties"] | {"amount": amount * 2}})


def paying(amount: int) -> Json:
    return {"payload": EVENT | {"properties": {"email": "ada@example.com", "amount": amount}}}


async def test_mappings_are_tested_with_what_it_returns(
    call: Call, app: Litestar, tool: Json, http: Answering
) -> None:
    workshop = Workshop()
    app.state.workshop = workshop
    setting = {"name": "salt", "type": "STRING", "sensitive": True}
    body = {"displayName": "F", "resourceType": "INSERT_DESTINATION", "code": "//", "settings": [setting]}
    function = (await call("POST", "/functions", body))["function"]
    before = {"functionId": function["id"], "integrationId": tool["id"], "name": "i", "enabled": True}
    await call("POST", "/insert-function-instances", before | {"settings": {"salt": "s4lt-secret"}})

    found = (await call("POST", path(tool, "Tracks"), paying(21)))["test"]
    assert "42" in json.dumps(found["payload"]) and "21" not in json.dumps(found["payload"])
    assert workshop.asked[0]["settings"] == {"salt": "s4lt-secret"} == workshop.asked[0]["secrets"]
    assert workshop.asked[0]["inserted"] is True

    sent = len(http.requests)
    found = (await call("POST", path(tool, "Tracks"), paying(0)))["test"]
    assert found["payload"] is None and found["problem"]["code"] == "FILTERED_AT_INSERT_FUNCTION"
    found = (await call("POST", path(tool, "Tracks"), paying(-1)))["test"]
    assert found["problem"]["code"] == "bad_request" and "no debts (line 3)" in found["problem"]["message"]
    assert len(http.requests) == sent, "nothing passes it"
    page = {"payload": {"type": "page", "userId": "u"}}
    assert (await call("POST", path(tool, "Tracks"), page))["test"]["matched"] is False
    assert len(workshop.asked) == 3, "triggers come before it"
