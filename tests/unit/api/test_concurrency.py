"""Concurrent edits: no update is lost without an error."""

import asyncio
import sqlite3
from typing import Any

import httpx
import pytest

from onward.settings import Settings
from onward.workspace import database

from .conftest import Call

Json = dict[str, Any]


async def test_edits_of_different_fields_at_once_are_all_kept(
    call: Call, client: httpx.AsyncClient, destination: Json
) -> None:
    path = f"/destinations/{destination['id']}"
    changes: list[Json] = [
        {"name": "New"},
        {"settings": {"sharedSecret": "s3cret"}},
        {"delivery": {"maxRetries": 3}},
        {"delivery": {"timeout": 4.5}},
        {"delivery": {"concurrency": 2}},
    ]
    for _ in range(3):
        replies = await asyncio.gather(*(client.patch(path, json=change) for change in changes))
        assert [reply.status_code for reply in replies] == [200] * len(changes)
    shown = (await call("GET", path))["destination"]
    assert shown["name"] == "New" and shown["settings"]["sharedSecret"] == "••••••••"
    assert (shown["delivery"]["maxRetries"], shown["delivery"]["timeout"]) == (3, 4.5)
    assert shown["delivery"]["concurrency"] == 2


async def test_a_counter_kept_by_read_and_conditional_write_loses_nothing(
    call: Call, client: httpx.AsyncClient, source: Json
) -> None:
    path, workers, rounds = f"/sources/{source['id']}", 4, 5
    await call("PATCH", path, {"name": "0"})
    refused = 0

    async def add_one() -> None:
        nonlocal refused
        for _ in range(100):
            shown = await client.get(path)
            number = int(shown.json()["data"]["source"]["name"])
            condition = {"if-match": shown.headers["etag"]}
            reply = await client.patch(path, json={"name": str(number + 1)}, headers=condition)
            if reply.status_code == 200:
                return
            assert reply.status_code == 412
            refused += 1
        raise AssertionError("never the first of 100 times")

    async def worker() -> None:
        for _ in range(rounds):
            await add_one()

    await asyncio.gather(*(worker() for _ in range(workers)))
    assert (await call("GET", path))["source"]["name"] == str(workers * rounds)
    assert refused, "nobody was in anybody's way: this proves nothing"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever finds the database locked waits hardly at all."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.001)


async def test_many_changes_at_once_wait_for_their_turns(
    impatient: None, client: httpx.AsyncClient, source: Json
) -> None:
    path = f"/sources/{source['id']}"
    replies = await asyncio.gather(*(client.patch(path, json={"name": f"n{n}"}) for n in range(20)))
    assert {reply.status_code for reply in replies} == {200}


async def test_who_waits_too_long_for_another_process_is_told_to_try_again(
    impatient: None, call: Call, client: httpx.AsyncClient, settings: Settings
) -> None:
    body = {"slug": "one", "metadataId": "python"}
    other = sqlite3.connect(settings.data / database.FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    refused = await client.post("/sources", json=body)
    assert refused.status_code == 503 and int(refused.headers["retry-after"]) > 0
    assert "try again" in refused.json()["errors"][0]["message"]
    other.execute("ROLLBACK")
    other.close()
    await call("POST", "/sources", body, status=201)


async def test_of_two_that_create_the_same_one_is_told(client: httpx.AsyncClient) -> None:
    body = {"slug": "one", "metadataId": "python"}
    replies = await asyncio.gather(*(client.post("/sources", json=body) for _ in range(5)))
    assert sorted(reply.status_code for reply in replies) == [201, 422, 422, 422, 422]


@pytest.mark.parametrize("way", ["PATCH", "DELETE"])
async def test_a_change_on_a_condition(
    call: Call, client: httpx.AsyncClient, destination: Json, way: str
) -> None:
    path = f"/destinations/{destination['id']}"
    old = (await client.get(path)).headers["etag"]
    assert (await client.get(path)).headers["etag"] == old
    await call("PATCH", path, {"name": "Other"})
    new = (await client.get(path)).headers["etag"]
    assert new != old
    body = {"name": "Mine"} if way == "PATCH" else None
    for condition, status in ((old, 412), (f"W/{new}", 412), ("nonsense", 412), (f"{old}, {new}", 200)):
        reply = await client.request(way, path, json=body, headers={"if-match": condition})
        assert reply.status_code == status, condition
        if status == 412:
            assert reply.json()["errors"][0]["type"] == "precondition-failed"
            assert (await call("GET", path))["destination"]["name"] == "Other"
    reply = await client.request(way, path, json=body, headers={"if-match": old})
    assert reply.status_code == (412 if way == "PATCH" else 404)


async def test_any_tag_will_do_for_a_star(client: httpx.AsyncClient, source: Json) -> None:
    for path, status in ((f"/sources/{source['id']}", 200), ("/sources/nothing", 404)):
        reply = await client.patch(path, json={"name": "x"}, headers={"if-match": "*"})
        assert reply.status_code == status


async def test_what_is_shown_elsewhere_can_be_changed_on_a_condition(
    call: Call, client: httpx.AsyncClient, source: Json
) -> None:
    await call("POST", "/labels", {"label": {"key": "team", "value": "web"}}, status=201)
    path, labels = f"/sources/{source['id']}", {"labels": [{"key": "team", "value": "web"}]}
    tag = {"if-match": (await client.get(path)).headers["etag"]}
    assert (await client.put(f"{path}/labels", json=labels, headers=tag)).status_code == 200
    assert (await client.put(f"{path}/labels", json=labels, headers=tag)).status_code == 412


async def test_no_condition_is_left_unheard(client: httpx.AsyncClient, source: Json) -> None:
    body = {"slug": "two", "metadataId": "python"}
    reply = await client.post("/sources", json=body, headers={"if-match": '"x"'})
    assert reply.status_code == 412 and "createSource" in reply.json()["errors"][0]["message"]


async def test_lists_have_no_tag_and_errors_neither(client: httpx.AsyncClient, source: Json) -> None:
    for path in ("/sources", "/sources/nothing", "/echo?message=x"):
        assert "etag" not in (await client.get(path)).headers
