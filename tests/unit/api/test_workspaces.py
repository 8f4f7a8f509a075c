"""The caller's workspace, other ones, and the installation."""

import asyncio
from typing import Any

import httpx
from litestar import Litestar

from .conftest import TOKEN, Call


async def test_a_workspace_can_be_renamed(call: Call) -> None:
    renamed = (await call("PATCH", "/", {"name": "Ours", "slug": "ours"}))["workspace"]
    assert (await call("GET", "/"))["workspace"] == renamed
    assert (renamed["name"], renamed["slug"]) == ("Ours", "ours")
    for body, field in (({"slug": "a b"}, "slug"), ({"name": ""}, "name"), ({"colour": 1}, "colour")):
        assert (await call("PATCH", "/", body, status=422))[0]["field"] == field


async def test_another_one_has_a_token_of_its_own(
    call: Call, client: httpx.AsyncClient, app: Litestar
) -> None:
    made = await call("POST", "/workspaces", {"slug": "second", "name": "Two"}, status=201)
    assert (await call("POST", "/workspaces", {"slug": "second"}, status=422))[0]["field"] == "slug"
    mine = (await call("GET", "/"))["workspace"]
    assert (await call("GET", "/workspaces"))["workspaces"] == [mine]

    headers = {"authorization": f"Bearer {made['token']}"}
    theirs = (await client.get("/", headers=headers)).json()["data"]["workspace"]
    assert theirs == made["workspace"] and theirs["name"] == "Two"
    listed = (await client.get("/workspaces", headers=headers)).json()["data"]["workspaces"]
    assert listed == [theirs]
    assert (
        await client.post("/sources", json={"slug": "web", "metadataId": "python"}, headers=headers)
    ).is_success
    assert (await call("GET", "/sources"))["sources"] == []

    for method, path, body in (("POST", "/workspaces", {"slug": "third"}), ("GET", "/installation", None)):
        refused = await client.request(method, path, json=body, headers=headers)
        assert refused.status_code == 403 and "first workspace" in refused.text

    events = (await call("GET", "/audit-events"))["events"]
    assert ("Workspace Created", "Two") in {(each["type"], each["resourceName"]) for each in events}
    theirs_events = (await client.get("/audit-events", headers=headers)).json()["data"]["events"]
    assert "Workspace Created" in {each["type"] for each in theirs_events}
    assert made["token"] not in str(events) + str(theirs_events) and TOKEN not in str(theirs_events)


async def test_the_same_slug_at_the_same_time(client: httpx.AsyncClient) -> None:
    replies = await asyncio.gather(*(client.post("/workspaces", json={"slug": "x"}) for _ in range(4)))
    assert sorted(reply.status_code for reply in replies) == [201, 422, 422, 422]


async def test_the_installation(call: Call, client: httpx.AsyncClient, member_token: str) -> None:
    shown: dict[str, Any] = (await call("GET", "/installation"))["installation"]
    assert shown["retention"]["logHours"] == 168 and shown["stores"]["eventLog"] == "sqlite"
    assert shown["sizes"]["configuration"] > 0 and shown["sizes"]["free"] > 0
    assert shown["catalogue"]["destinations"] >= shown["catalogue"]["native"] > 0
    refused = await client.get("/installation", headers={"authorization": f"Bearer {member_token}"})
    assert refused.status_code == 403
