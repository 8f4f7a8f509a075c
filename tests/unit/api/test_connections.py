"""All connections at a glance: one answer with the books of everything that the caller may see."""

import sqlite3
import time
from typing import Any

import httpx
import pytest
from litestar import Litestar
from sqlalchemy.event import listen

from onward.delivery.state.protocol import Changes, Count, Discard
from onward.delivery.state.sqlite import SqliteStateStore
from onward.eventlog.protocol import Position

from .conftest import Call

Json = dict[str, Any]


def given_up(at: float) -> Discard:
    return Discard(
        at=int(at * 1000),
        subscription_id="",
        message_id="m",
        event_type="track",
        event_name="Bought",
        received_at=0,
        attempts=1,
        code="400",
        message="no",
        payload={},
        event={},
    )


async def test_everything_is_shown_with_its_books(
    call: Call, source: Json, destination: Json, state: SqliteStateStore
) -> None:
    state.open_destination(destination["id"], Position())
    changes = Changes()
    now = time.time()
    changes.count(Count("delivered", "successes.attempt.1", "sub", "track", "Bought", ""), 7)
    changes.count(Count("discarded", "400", "", "track", "Bought", ""))
    changes.discards = [given_up(now)]
    changes.breaker = now
    state.commit([(destination["id"], changes)], now)

    shown = (await call("GET", "/connections"))["connections"]
    (one,) = shown["sources"]
    assert (one["id"], one["slug"], one["accepted"], one["refusedLately"]) == (
        source["id"],
        source["slug"],
        0,
        0,
    )
    (to,) = shown["destinations"]
    assert (to["id"], to["sourceId"], to["kindName"]) == (
        destination["id"],
        source["id"],
        destination["metadata"]["name"],
    )
    assert (to["delivery"]["delivered"], to["deliveredLately"], to["discardedLately"]) == (7, 7, 1)
    assert to["delivery"]["pausedSince"] is not None


async def test_who_may_see_one_source_sees_its_connections(
    call: Call, client: httpx.AsyncClient, source: Json, destination: Json
) -> None:
    await call("POST", "/sources", {"slug": "other", "metadataId": "python"}, status=201)
    body = {
        "name": "reader",
        "roleId": "source-read-only",
        "resources": [{"id": source["id"], "type": "SOURCE"}],
    }
    token = (await call("POST", "/tokens", body, status=201))["secret"]
    seen = await client.get("/connections", headers={"authorization": f"Bearer {token}"})
    shown = seen.json()["data"]["connections"]
    assert [each["id"] for each in shown["sources"]] == [source["id"]]
    assert [each["id"] for each in shown["destinations"]] == [destination["id"]]


async def test_many_connections_take_no_more_questions_than_few(
    call: Call, source: Json, destination: Json, app: Litestar, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *args, **more: asked.append(args) or connect(*args, **more)
    )
    listen(app.state.store.engine, "before_cursor_execute", lambda *each: asked.append(each))

    async def questions(path: str) -> int:
        await call("GET", path)
        asked.clear()
        await call("GET", path)
        return len(asked)

    paths = ("/connections", "/connections/health")
    few = {path: await questions(path) for path in paths}
    for at in range(20):
        body = {"slug": f"s{at}", "metadataId": "python"}
        new = (await call("POST", "/sources", body, status=201))["source"]
        await call("POST", "/destinations", {"sourceId": new["id"], "metadataId": "actions-webhook"})
    assert {path: await questions(path) for path in paths} == few
