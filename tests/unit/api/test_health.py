"""Connection Health, and what needs attention."""

import time
from typing import Any

from litestar import Litestar

from onward.delivery.state.protocol import Changes, Count
from onward.delivery.state.sqlite import SqliteStateStore
from onward.eventlog.protocol import Position
from onward.metering.store import Counted, Volume

from .conftest import Call, ClientOf

Json = dict[str, Any]


async def test_what_fails_needs_attention(
    call: Call, source: Json, destination: Json, state: SqliteStateStore, app: Litestar, client_of: ClientOf
) -> None:
    await call("PATCH", f"/destinations/{destination['id']}", {"enabled": True})
    shown = (await call("GET", "/connections/health"))["health"]
    assert [each["health"] for each in shown["sources"] + shown["destinations"]] == ["noData", "noData"]
    assert shown["attention"] == []
    volume = {Volume(int(time.time() // 60), "track", "A", ""): 7}
    app.state.numbers.usage.commit({source["id"]: (source["workspaceId"], Counted(Position(7, 7), volume))})
    state.open_destination(destination["id"], Position())
    changes = Changes()
    changes.counts = {
        Count("delivered", "successes.attempt.1", "s", "track", "A", ""): 3,
        Count("discarded", "400", "s", "track", "A", ""): 1,
    }
    state.commit([(destination["id"], changes)], time.time())
    shown = (await call("GET", "/connections/health"))["health"]
    assert shown["sources"][0]["health"] == "healthy"
    (one,) = shown["destinations"]
    assert (one["health"], one["successRate"]) == ("failing", 0.75)
    (attention,) = shown["attention"]
    assert attention["resourceId"] == destination["id"] and "1 event (25 %)" in attention["summary"]
    changes = Changes()
    changes.breaker = time.time()
    state.commit([(destination["id"], changes)], time.time())
    (attention,) = (await call("GET", "/connections/health"))["health"]["attention"]
    assert attention["health"] == "paused" and attention["since"]
    other = (await call("POST", "/sources", {"slug": "other", "metadataId": "python"}, status=201))["source"]
    async with client_of({"source-read-only": [{"type": "SOURCE", "id": other["id"]}]}) as client:
        shown = (await client.get("/connections/health")).json()["data"]["health"]
    assert [each["id"] for each in shown["sources"]] == [other["id"]] and shown["destinations"] == []
