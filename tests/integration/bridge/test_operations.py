"""What tools are asked besides to take events: connection tests, choices, lists, deletion, new tokens."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from integration.bridge.tools import CATALOGUE, Caller, Tool

from onward.destinations.bridge.host import Bridge
from onward.destinations.bridge.tokens import Tokens, TokenStore
from onward.destinations.definition import Definition, HookError
from onward.destinations.outcome import DELIVERED
from onward.egress.http import EgressError, Request
from onward.workspace.secrets import Cipher

CIPHER = Cipher(bytes(range(32)))

ENTERED = {
    "oauth_access_token": "OLD",
    "oauth_refresh_token": "R1",
    "oauth_client_id": "id",
    "oauth_client_secret": "secret",
}
CONTACT = {"email": "g@example.com"}
NAME = "actions-hubspot-cloud.upsertContact"


PROPERTY = {
    "name": "colour",
    "label": "Colour",
    "type": "string",
    "fieldType": "text",
    "hasUniqueValue": False,
    "modificationMetadata": {"readOnlyValue": False},
}


# Connection tests


async def test_connection(catalogue: Mapping[str, Definition], perform: Caller, tool: Tool) -> None:
    test = catalogue["actions-klaviyo"].test
    assert test is not None
    call = perform.having(settings={"api_key": "k"}).call()
    tool.answer = lambda request: (200, {"data": []})
    assert await test(call) is None
    assert tool.requests[0].headers["authorization"] == "Klaviyo-API-Key k"
    tool.answer = lambda request: (403, {"message": "no"})
    assert "Credentials are invalid: 403" in str(await test(call))
    tool.answer = lambda request: EgressError("ENOTFOUND", "a.klaviyo.com was not found")
    assert "was not found" in str(await test(call))


async def test_connection_with_settings_that_are_missing(
    catalogue: Mapping[str, Definition], perform: Caller
) -> None:
    test = catalogue["actions-klaviyo"].test
    assert test is not None
    assert "api_key" in str(await test(perform.call()))


# Choices


async def test_choices(catalogue: Mapping[str, Definition], perform: Caller, tool: Tool) -> None:
    tool.answer = lambda request: (
        200,
        {"data": [{"id": "L1", "attributes": {"name": "Friends"}}], "links": {}},
    )
    choices = catalogue["actions-klaviyo"].choices
    assert choices is not None
    call = perform.having(settings={"api_key": "k"}).call()
    page = await choices(call, "upsertProfile", "retlOnMappingSave.list_identifier", {}, None)
    assert page.error is None
    assert list(page.choices) == [{"label": "Friends", "value": "L1"}]


async def test_choices_that_cannot_be_had(
    catalogue: Mapping[str, Definition], perform: Caller, tool: Tool
) -> None:
    choices = catalogue["actions-klaviyo"].choices
    assert choices is not None
    call = perform.having(settings={"api_key": "k"}).call()
    tool.answer = lambda request: (401, {"errors": [{"detail": "bad key"}]})
    page = await choices(call, "upsertProfile", "retlOnMappingSave.list_identifier", {}, None)
    assert not page.choices
    assert page.error
    page = await choices(call, "addProfileToList", "no_such", {}, None)
    assert page.error == "No dynamic field named no_such found."


async def test_choices_of_keys(catalogue: Mapping[str, Definition], perform: Caller, tool: Tool) -> None:
    """A field whose keys the tool knows, such as HubSpot's properties."""
    tool.answer = lambda request: (
        200,
        {"results": [PROPERTY]},
    )
    choices = catalogue["actions-hubspot-cloud"].choices
    assert choices is not None
    call = perform.having(settings=ENTERED).call()
    payload = {"object_details": {"object_type": "contact"}}
    page = await choices(call, "upsertObject", "properties.__keys__", payload, None)
    assert page.error is None
    assert [choice["value"] for choice in page.choices] == ["colour"]
    assert tool.requests[0].headers["authorization"] == "Bearer OLD"


# Lists and hooks


async def test_audience(catalogue: Mapping[str, Definition], perform: Caller, tool: Tool) -> None:
    tool.answer = lambda request: (201, {"data": {"id": "L7"}})
    audiences = catalogue["actions-klaviyo"].audiences
    assert audiences is not None
    call = perform.having(settings={"api_key": "k"}).call()
    assert await audiences.create(call, "VIPs", {}) == "L7"
    assert tool.bodies[0]["data"]["attributes"]["name"] == "VIPs"
    assert await audiences.get(call, "L7", {}) == "L7"
    assert tool.requests[1].url.rstrip("/").endswith("/lists/L7")
    tool.answer = lambda request: (400, {"errors": [{"detail": "taken"}]})
    with pytest.raises(HookError):
        await audiences.create(call, "VIPs", {})


async def test_hook(catalogue: Mapping[str, Definition], perform: Caller, tool: Tool) -> None:
    tool.answer = lambda request: (201, {"data": {"id": "L9", "attributes": {"name": "New"}}})
    hook = catalogue["actions-klaviyo"].actions["upsertProfile"].hooks["retlOnMappingSave"]
    assert set(hook.fields) == {"list_identifier", "list_name"}
    call = perform.having(settings={"api_key": "k"}).call()
    assert await hook.perform(call, {}, {"list_name": "New"}) == {"id": "L9", "name": "New"}
    with pytest.raises(HookError):
        await hook.perform(call, {}, {"list_name": 7, "list_identifier": {}})


async def test_hook_outputs_reach_the_action(perform: Caller, tool: Tool) -> None:
    tool.answer = lambda request: (200, {"data": {"id": "P1"}})
    caller = perform.having(
        settings={"api_key": "k"}, mapping={"retlOnMappingSave": {"outputs": {"id": "L9"}}}
    )
    payload = {"email": "g@example.com", "enable_batching": False}
    assert await caller("actions-klaviyo.upsertProfile", payload) == DELIVERED
    assert any("L9" in request.url for request in tool.requests), tool.seen()


async def test_delete(catalogue: Mapping[str, Definition], perform: Caller, tool: Tool) -> None:
    delete = catalogue["actions-amplitude"].on_delete
    assert delete is not None
    settings = {"apiKey": "k", "secretKey": "s", "endpoint": "north_america"}
    call = perform.having(settings=settings).call()
    assert await delete(call, "user-1", None) == DELIVERED
    assert tool.seen() == ["POST https://amplitude.com/api/2/deletions/users"]
    assert tool.bodies[0]["user_ids"] == ["user-1"]
    tool.answer = lambda request: (429, {})
    assert (await delete(call, "user-1", None)).kind == "retry"


# Tokens


def server(tool: Tool) -> Callable[[Request], Any]:
    """HubSpot with a token server: each refresh token is good for once (RFC 6749 §10.4)."""
    state = {"access": "A0", "refresh": "R1", "refreshes": 0}

    async def answer(request: Request) -> tuple[int, Any]:
        await asyncio.sleep(0.01)
        if request.url.endswith("/token"):
            form = dict(part.split("=") for part in request.body.decode().split("&"))
            if form["refresh_token"] != state["refresh"]:
                return 400, {"error": "invalid_grant"}
            state["refreshes"] += 1
            state["access"] = f"A{state['refreshes']}"
            return 200, {"access_token": state["access"]}
        if request.headers.get("authorization") != f"Bearer {state['access']}":
            return 401, {"message": "expired"}
        return 200, {"id": "1", "properties": {}}

    tool.answer = answer
    return lambda request: state


def tokens_used(tool: Tool) -> list[str]:
    return [
        "token" if request.url.endswith("/token") else request.headers["authorization"]
        for request in tool.requests
    ]


@pytest.fixture
async def keeping(catalogue: Mapping[str, Definition], tmp_path: Path) -> AsyncIterator[Callable[[], Bridge]]:
    """Makes bridges on one data folder, as several processes, or one after a restart, have."""
    made: list[Bridge] = []

    def make() -> Bridge:
        made.append(Bridge(CATALOGUE, environment={}, tokens=TokenStore(tmp_path, CIPHER)))
        return made[-1]

    yield make
    for bridge in made:
        await bridge.close()


async def test_a_refused_token_is_renewed_once(
    catalogue: Mapping[str, Definition], tool: Tool, keeping: Callable[[], Bridge], tmp_path: Path
) -> None:
    server(tool)
    caller = Caller(catalogue, keeping(), tool, ENTERED)
    assert await caller(NAME, CONTACT) == DELIVERED
    assert tokens_used(tool) == ["Bearer OLD", "token", "Bearer A1"]
    assert await caller(NAME, CONTACT) == DELIVERED
    assert tokens_used(tool)[3:] == ["Bearer A1"]
    # Another process, or a later one, goes on with it.
    assert await Caller(catalogue, keeping(), tool, ENTERED)(NAME, CONTACT) == DELIVERED
    assert tokens_used(tool)[4:] == ["Bearer A1"]
    assert b"A1" not in (tmp_path / "tokens.db").read_bytes()


async def test_many_refused_at_once_renew_once(
    catalogue: Mapping[str, Definition], tool: Tool, keeping: Callable[[], Bridge]
) -> None:
    server(tool)
    caller = Caller(catalogue, keeping(), tool, ENTERED)
    outcomes = await asyncio.gather(*(caller(NAME, CONTACT) for _ in range(20)))
    assert outcomes == [DELIVERED] * 20
    assert tokens_used(tool).count("token") == 1


async def test_newly_entered_credentials_win(
    catalogue: Mapping[str, Definition],
    tool: Tool,
    keeping: Callable[[], Bridge],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("onward.destinations.bridge.credentials.LOOK_EVERY", 0.0)
    server(tool)
    bridge = keeping()
    assert await Caller(catalogue, bridge, tool, ENTERED)(NAME, CONTACT) == DELIVERED
    entered = {**ENTERED, "oauth_access_token": "MINE", "oauth_refresh_token": "GONE"}
    outcome = await Caller(catalogue, bridge, tool, entered)(NAME, CONTACT)
    assert tokens_used(tool)[3:] == ["Bearer MINE", "token"]
    assert (outcome.kind, outcome.code) == ("discarded", "401")
    assert "OAUTH_REFRESH_FAILED" in outcome.message
    assert "invalid_grant" in outcome.message


async def test_another_process_was_first(
    catalogue: Mapping[str, Definition], tool: Tool, keeping: Callable[[], Bridge]
) -> None:
    server(tool)
    one, other = (Caller(catalogue, keeping(), tool, ENTERED) for _ in range(2))
    tool_answer = tool.answer
    tool.answer = lambda request: (200, {"id": "1"})
    await other(NAME, CONTACT)  # it has read its tokens before the first renews them
    tool.answer = tool_answer
    assert await one(NAME, CONTACT) == DELIVERED
    assert await other(NAME, CONTACT) == DELIVERED
    assert tokens_used(tool).count("token") == 1


async def test_a_token_server_that_is_down_is_a_reason_to_try_again(perform: Caller, tool: Tool) -> None:
    tool.answer = lambda request: (503, {}) if request.url.endswith("/token") else (401, {})
    outcome = await perform.having(settings=ENTERED)(NAME, CONTACT)
    assert (outcome.kind, outcome.code) == ("retry", "503")


async def test_without_a_way_to_new_tokens_401_is_final(perform: Caller, tool: Tool) -> None:
    tool.answer = lambda request: (401, {"message": "no"})
    outcome = await perform.having(settings={"oauth_access_token": "A"})(
        "actions-intercom-cloud.identifyContact", {"external_id": "u"}
    )
    assert (outcome.kind, outcome.code) == ("discarded", "401")
    assert len(tool.requests) == 1


async def test_a_connection_test_renews_the_token(
    catalogue: Mapping[str, Definition], perform: Caller, tool: Tool
) -> None:
    server(tool)
    test = catalogue["actions-hubspot-cloud"].test
    assert test is not None
    assert await test(perform.having(settings=ENTERED).call()) is None
    assert tokens_used(tool) == ["Bearer OLD", "token", "Bearer A1"]


def test_tokens_of_a_destination_that_is_gone(tmp_path: Path) -> None:
    store = TokenStore(tmp_path, CIPHER)
    store.forget("d")
    assert not (tmp_path / "tokens.db").exists()
    store.put("d", ENTERED, Tokens("A", "R"))
    assert store.get("d", ENTERED) == Tokens("A", "R")
    assert store.get("e", ENTERED) == Tokens("OLD", "R1")
    store.forget("d")
    assert store.get("d", ENTERED) == Tokens("OLD", "R1")
    store.put("d", ENTERED, Tokens("A", "R"))
    other = TokenStore(tmp_path, Cipher(bytes(32)))
    assert other.get("d", ENTERED) == Tokens("OLD", "R1")  # sealed with another key
    store.close()
    other.close()
