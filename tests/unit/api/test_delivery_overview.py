"""Delivery Overview, events volume and usage over the Public API (spec §12.2, §12.3, §22.37)."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from litestar import Litestar

from onward.delivery.state.protocol import Changes, Count, Parked
from onward.delivery.state.sqlite import SqliteStateStore
from onward.eventlog.protocol import Position
from onward.metering.sketch import Sketch
from onward.metering.store import KINDS, Counted, UsageStore, Volume, day_of, month_of
from onward.settings import Settings
from onward.tracking.ledger import Ledger, LedgerReader, Report

from .conftest import Call

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOW = int(time.time() * 1000)
STEP = "/delivery-overview"


def iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat().replace("+00:00", "Z")


@pytest.fixture
def usage(app: Litestar) -> UsageStore:
    found: UsageStore = app.state.numbers.usage
    return found


@pytest.fixture
def ledger(settings: Settings, app: Litestar) -> Iterator[Ledger]:
    ledger = Ledger(settings.data / "ingest.db")
    ledger.begin(0)
    object.__setattr__(app.state.numbers, "failed", LedgerReader(settings.data / "ingest.db").failed)
    yield ledger
    ledger.close()


def asked(source: dict[str, Any], start: int, end: int = NOW + MINUTE, **more: str) -> dict[str, str]:
    times = {"startTime": iso(start), "endTime": iso(end)}
    return {"sourceId": source["id"], "granularity": "MINUTE", **times, **more}


def received(usage: UsageStore, source: dict[str, Any], *counts: tuple[int, str, str, int]) -> None:
    """`(ms, event name, app version, number)`."""
    volume = {Volume(at // MINUTE, "track", name, version): n for at, name, version, n in counts}
    usage.commit({source["id"]: (source["workspaceId"], Counted(Position(1, 1), volume))})


def settled(
    state: SqliteStateStore, destination: dict[str, Any], at: int, *counts: tuple[str, str, str, int]
) -> None:
    """`(outcome, code, event name, number)`."""
    state.open_destination(destination["id"], Position())
    changes = Changes()
    for outcome, code, name, number in counts:
        changes.count(Count(outcome, code, "sub", "track", name, ""), number)
    state.commit([(destination["id"], changes)], at / 1000)


async def test_what_was_received_over_time(call: Call, source: dict[str, Any], usage: UsageStore) -> None:
    start = (NOW - HOUR) // MINUTE * MINUTE
    received(
        usage, source, (start, "A", "1", 3), (start + MINUTE, "A", "2", 4), (start + 5 * MINUTE, "B", "", 2)
    )
    received(usage, source, (start - MINUTE, "A", "1", 100))  # before it
    path = f"{STEP}/successfully-received"
    found = await call("GET", path, params=asked(source, start))
    assert found["total"] == 9
    assert found["dataset"] == [
        {
            "total": 9,
            "series": [
                {"time": iso(start).replace("Z", ".000Z"), "count": 3},
                {"time": iso(start + MINUTE).replace("Z", ".000Z"), "count": 4},
                {"time": iso(start + 5 * MINUTE).replace("Z", ".000Z"), "count": 2},
            ],
        }
    ]
    by = await call("GET", path, params=asked(source, start, groupBy="eventName,appVersion"))
    assert [(d["eventName"], d["appVersion"], d["total"]) for d in by["dataset"]] == [
        ("A", "2", 4),
        ("A", "1", 3),
        ("B", "", 2),
    ]
    only = await call("GET", path, params=asked(source, start, **{"filter[eventName][0]": "B"}))
    assert only["total"] == 2
    none = await call("GET", path, params=asked(source, start, **{"filter[appVersion][0]": "9"}))
    assert (none["total"], none["dataset"]) == (0, [{"total": 0, "series": []}])
    nothing = await call(
        "GET", path, params=asked(source, start, groupBy="eventName", **{"filter[appVersion]": "9"})
    )
    assert (nothing["total"], nothing["dataset"]) == (0, [])


async def test_groups_come_in_pages(call: Call, source: dict[str, Any], usage: UsageStore) -> None:
    at = NOW - HOUR
    received(usage, source, *((at, f"E{number:02d}", "", number + 1) for number in range(25)))
    names: list[str] = []
    cursor, pages = None, 0
    while True:
        more = {"pagination[cursor]": cursor} if cursor else {}
        params = asked(source, at - HOUR, groupBy="eventName", **{"pagination[count]": "10"}, **more)
        page = await call("GET", f"{STEP}/successfully-received", params=params)
        assert page["total"] == 325 and page["pagination"]["totalEntries"] == 25
        names += [each["eventName"] for each in page["dataset"]]
        pages += 1
        cursor = page["pagination"].get("next")
        if cursor is None:
            break
    assert pages == 3 and names == [f"E{number:02d}" for number in reversed(range(25))]
    await call(
        "GET",
        f"{STEP}/failed-on-ingest",
        params=asked(source, at, **{"pagination[cursor]": "MA"}),
        status=422,
    )


async def test_each_step_at_a_destination(
    call: Call, source: dict[str, Any], destination: dict[str, Any], state: SqliteStateStore
) -> None:
    at = NOW - HOUR
    settled(
        state,
        destination,
        at,
        ("delivered", "successes.attempt.1", "A", 5),
        ("delivered", "successes.attempt.3", "A", 2),
        ("filtered", "FILTERED_BY_RULES", "B", 4),
        ("discarded", "400", "A", 3),
        ("retried", "503", "A", 7),
    )
    mine = {"destinationConfigId": destination["id"]}

    async def step(name: str, **more: str) -> Any:
        return await call("GET", f"{STEP}/{name}", params=asked(source, at - HOUR, **mine, **more))

    done = await step("successful-delivery")
    (dataset,) = done["dataset"]
    assert (dataset["total"], dataset["totalRetryCount"]) == (7, 2)
    assert [(p["count"], p["retryCount"]) for p in dataset["series"]] == [(7, 2)]
    by = await step("successful-delivery", groupBy="discardReason")
    assert [(d["discardReason"], d["total"], d["totalRetryCount"]) for d in by["dataset"]] == [
        ("successes.attempt.1", 5, 0),
        ("successes.attempt.3", 2, 2),
    ]
    third = await step("successful-delivery", **{"filter[discardReason][0]": "successes.attempt.3"})
    assert third["total"] == 2
    failed = await step("failed-delivery", groupBy="discardReason")
    assert [(d["discardReason"], d["total"]) for d in failed["dataset"]] == [("400", 3)]
    assert "totalRetryCount" not in failed["dataset"][0]
    filtered = await step("filtered-at-destination", groupBy="discardReason,eventName")
    assert [(d["discardReason"], d["eventName"], d["total"]) for d in filtered["dataset"]] == [
        ("FILTERED_BY_RULES", "B", 4)
    ]
    assert (await step("successful-delivery", subscriptionId="sub"))["total"] == 7
    assert (await step("successful-delivery", subscriptionId="other"))["total"] == 0
    of = await step("successful-delivery", groupBy="subscriptionId")
    assert of["dataset"][0]["subscriptionId"] == "sub"

    summary = await call(
        "GET", f"/destinations/{destination['id']}/delivery-metrics", params={"sourceId": source["id"]}
    )
    found = summary["deliveryMetricsSummary"]
    assert found["destinationMetadataId"] == destination["metadata"]["id"]
    assert {m["metricName"]: m["total"] for m in found["metrics"]} == {
        "successes": 0,  # of the last hour, by MINUTE
        "retried": 0,
        "filtered": 0,
        "discarded": 0,
    }
    week = await call(
        "GET",
        f"/destinations/{destination['id']}/delivery-metrics",
        params={"sourceId": source["id"], "granularity": "HOUR"},
    )
    assert {
        m["metricName"]: (m["total"], m["breakdown"]) for m in week["deliveryMetricsSummary"]["metrics"]
    } == {
        "successes": (
            7,
            [
                {"metricName": "successes.attempt.1", "value": 5},
                {"metricName": "successes.attempt.3", "value": 2},
            ],
        ),
        "retried": (7, [{"metricName": "503", "value": 7}]),
        "filtered": (4, [{"metricName": "FILTERED_BY_RULES", "value": 4}]),
        "discarded": (3, [{"metricName": "400", "value": 3}]),
    }


async def test_what_the_door_discarded(call: Call, source: dict[str, Any], ledger: Ledger) -> None:
    at = NOW - HOUR
    bad = {"type": "track", "event": "Broken", "context": {"app": {"version": "7"}}}
    ledger.discarded(
        Report(
            source["id"], at, None, [bad, bad, {"type": "page"}], dict.fromkeys(range(3), "no_user_anon_id")
        )
    )
    ledger.discarded(Report(source["id"], at, None, [bad], {0: "unplanned"}))
    ledger.discarded(Report(source["id"], at, None, [{**bad, "userId": "u"}], {0: "USER_SUPPRESSED"}))
    ledger.flush()
    params = asked(source, at - HOUR, groupBy="discardReason,eventName,appVersion")
    failed = await call("GET", f"{STEP}/failed-on-ingest", params=params)
    assert {(d["discardReason"], d["eventName"], d["appVersion"]): d["total"] for d in failed["dataset"]} == {
        ("no_user_anon_id", "Broken", "7"): 2,
        ("no_user_anon_id", "", ""): 1,
        ("USER_SUPPRESSED", "Broken", "7"): 1,
    }
    filtered = await call("GET", f"{STEP}/filtered-at-source", params=params)
    assert [(d["discardReason"], d["total"]) for d in filtered["dataset"]] == [("unplanned", 1)]
    one = await call(
        "GET", f"{STEP}/failed-on-ingest", params=asked(source, at, **{"filter[discardReason]": "x,y"})
    )
    assert one["total"] == 0


@pytest.mark.parametrize(
    ("granularity", "start", "end", "field"),
    [
        ("MINUTE", -5 * HOUR, 0, "endTime"),
        ("MINUTE", -49 * HOUR, -48 * HOUR, "startTime"),
        ("HOUR", -15 * DAY, 0, "endTime"),
        ("HOUR", -31 * DAY, -30 * DAY, "startTime"),
        ("DAY", -32 * DAY, -31 * DAY, "startTime"),
        ("day", -31 * DAY, DAY, "endTime"),
        ("MINUTE", 0, 0, "endTime"),
        ("MINUTE", 0, -HOUR, "endTime"),
    ],
)
async def test_ranges(
    call: Call, source: dict[str, Any], granularity: str, start: int, end: int, field: str
) -> None:
    params = asked(source, NOW + start, NOW + end) | {"granularity": granularity}
    (error,) = await call("GET", f"{STEP}/successfully-received", params=params, status=422)
    assert error["field"] == field, error


@pytest.mark.parametrize(
    ("granularity", "start"), [("minute", -4 * HOUR), ("HOUR", -14 * DAY), ("day", -30 * DAY)]
)
async def test_ranges_as_long_as_they_may_be(
    call: Call, source: dict[str, Any], granularity: str, start: int
) -> None:
    params = asked(source, NOW + start, NOW) | {"granularity": granularity}
    assert (await call("GET", f"{STEP}/successfully-received", params=params))["total"] == 0


async def test_what_is_wrong_is_named(
    call: Call, source: dict[str, Any], destination: dict[str, Any], member_token: str
) -> None:
    async def refused(step: str, status: int = 422, **change: str) -> Any:
        params = asked(source, NOW - HOUR) | change
        return (await call("GET", f"{STEP}/{step}", params=params, status=status))[0].get("field")

    assert await refused("successfully-received", startTime="yesterday") == "startTime"
    assert await refused("successfully-received", startTime="0001-01-01T00:00:00+14:00") == "startTime"
    assert await refused("successfully-received", granularity="WEEK") == "granularity"
    assert await refused("successfully-received", groupBy="discardReason") == "groupBy"
    assert await refused("failed-on-ingest", groupBy="subscriptionId") == "groupBy"
    assert await refused("failed-delivery") == "destinationConfigId"
    assert await refused("failed-delivery", 404, destinationConfigId="nothing") is None
    assert await refused("successfully-received", 404, sourceId="nothing") is None
    other = (await call("POST", "/sources", {"slug": "other", "metadataId": "http-api"}, status=201))[
        "source"
    ]
    mine = {"destinationConfigId": destination["id"], "sourceId": other["id"]}
    assert await refused("failed-delivery", **mine) == "sourceId"
    headers = {"authorization": f"Bearer {member_token}"}
    for path in (f"{STEP}/successfully-received", "/events/volume", "/usage/mtu/daily"):
        await call("GET", path, params=asked(source, NOW - HOUR), headers=headers, status=403)


async def test_a_destination_may_be_a_function(call: Call, source: dict[str, Any]) -> None:
    body = {"displayName": "F", "resourceType": "DESTINATION", "code": "async function onTrack() {}"}
    function = (await call("POST", "/functions", body))["function"]
    body = {"sourceId": source["id"], "metadataId": function["catalogId"], "name": "F"}
    made = (await call("POST", "/destinations", body))["destination"]
    params = asked(source, NOW - HOUR, destinationConfigId=made["id"])
    for step in ("filtered-at-destination", "failed-delivery", "successful-delivery"):
        assert (await call("GET", f"{STEP}/{step}", params=params))["total"] == 0
    params = {"sourceId": source["id"], "granularity": "HOUR"}
    summary = await call("GET", f"/destinations/{made['id']}/delivery-metrics", params=params)
    assert summary["deliveryMetricsSummary"]["destinationMetadataId"] == function["catalogId"]


async def test_volume_of_all_sources(call: Call, source: dict[str, Any], usage: UsageStore) -> None:
    other = (await call("POST", "/sources", {"slug": "other", "metadataId": "http-api"}, status=201))[
        "source"
    ]
    at = (NOW - 2 * HOUR) // HOUR * HOUR
    received(usage, source, (at, "A", "", 3), (at + HOUR, "B", "", 2))
    received(usage, other, (at, "A", "", 10))
    received(usage, {"id": "somebody's", "workspaceId": "another"}, (at, "A", "", 1_000))
    times = {"startTime": iso(at), "endTime": iso(NOW), "granularity": "HOUR"}
    found = await call("GET", "/events/volume", params=times)
    assert found["path"] == "/events/volume"
    assert found["query"]["granularity"] == "HOUR" and found["query"]["workspaceId"] == source["workspaceId"]
    assert [(each["total"], [p["count"] for p in each["series"]]) for each in found["result"]] == [
        (15, [13, 2])
    ]
    by = await call("GET", "/events/volume", params=times | {"groupBy": "source,eventName"})
    assert [(r["source"]["slug"], r["eventName"], r["total"]) for r in by["result"]] == [
        ("other", "A", 10),
        ("web", "A", 3),
        ("web", "B", 2),
    ]
    one = await call(
        "GET", "/events/volume", params=times | {"sourceId[0]": source["id"], "eventName[0]": "A"}
    )
    assert [each["total"] for each in one["result"]] == [3]
    await call("GET", "/events/volume", params=times | {"sourceId": "somebody's"}, status=404)
    await call("GET", "/events/volume", params=times | {"groupBy": "appVersion"}, status=422)


async def test_usage_by_day(call: Call, source: dict[str, Any], usage: UsageStore) -> None:
    first = month_of(month_of(day_of(NOW)) - 1)  # last month: all of its days are over
    sketches = {kind: Sketch() for kind in KINDS}
    for day, users, people in ((first, 3, 5), (first + 2, 4, 6)):
        sketches["identified"].add(f"u{n}" for n in range(users))
        sketches["anonymous"].add(f"a{n}" for n in range(people))
        sketches["anonymous_identified"].add(["a0"])
        volume = {Volume(day * 1440, "track", "A", ""): 10}
        counted = Counted(Position(day, day), volume, {first: sketches}, day)
        usage.commit({source["id"]: (source["workspaceId"], counted)})
    period = {"period": datetime.fromtimestamp(first * 86_400, UTC).date().isoformat()}
    calls = (await call("GET", "/usage/api-calls/daily", params=period))["dailyWorkspaceAPICallsUsage"]
    assert [each["apiCalls"] for each in calls[:4]] == ["10", "10", "20", "20"]
    assert calls[0]["timestamp"] == f"{period['period']}T00:00:00.000Z" and 28 <= len(calls) <= 31
    by = (await call("GET", "/usage/api-calls/sources/daily", params=period))["dailyPerSourceAPICallsUsage"]
    assert [(each["sourceId"], each["apiCalls"]) for each in by[:3]] == [
        (source["id"], n) for n in ("10", "10", "20")
    ]
    for path, name in (("daily", "dailyWorkspaceMTUUsage"), ("sources/daily", "dailyPerSourceMTUUsage")):
        page = await call("GET", f"/usage/mtu/{path}", params=period | {"pagination[count]": "3"})
        users = page[name]
        numbers = [
            tuple(
                int(each[key])
                for key in ("identified", "anonymous", "anonymousIdentified", "neverIdentified")
            )
            for each in users
        ]
        assert numbers == [(3, 5, 1, 4), (3, 5, 1, 4), (4, 6, 1, 5)]
        assert users[0]["periodStart"] == first * 86_400 and users[0]["periodEnd"] > users[0]["periodStart"]
        assert page["pagination"]["next"] and page["pagination"]["totalEntries"] == len(calls)
    future = (await call("GET", "/usage/mtu/daily", params={"period": "2999-01-01"}))[
        "dailyWorkspaceMTUUsage"
    ]
    assert future == []
    await call("GET", "/usage/mtu/daily", params={"period": "soon"}, status=422)
    await call("GET", "/usage/mtu/daily", status=422)


async def test_the_funnel_adds_up(
    call: Call,
    source: dict[str, Any],
    destination: dict[str, Any],
    usage: UsageStore,
    state: SqliteStateStore,
    ledger: Ledger,
    app: Litestar,
    settings: Settings,
) -> None:
    object.__setattr__(app.state.numbers, "door", LedgerReader(settings.data / "ingest.db").outcomes)
    bad = [{"type": "track"}, {"type": "track", "event": "A"}]
    ledger.discarded(Report(source["id"], NOW, None, bad, {0: "event_not_defined", 1: "unplanned"}))
    ledger.flush()
    volume = {Volume(NOW // MINUTE, "track", "A", ""): 12, Volume(NOW // MINUTE - 30, "track", "A", ""): 5}
    usage.commit({source["id"]: (source["workspaceId"], Counted(Position(9, 17), volume))})
    state.open_destination(destination["id"], Position())
    changes = Changes()
    changes.cursor = Position(9, 17)
    changes.fanned_out, changes.skipped = 1, 2
    for outcome, code, number in (("delivered", "successes.attempt.2", 9), ("filtered", "x", 3)):
        changes.count(Count(outcome, code, "sub", "track", "A", ""), number)
    changes.count(Count("discarded", "400", "sub", "track", "A", ""), 4)
    state.commit([(destination["id"], changes)], NOW / 1000)
    params = {
        "sourceId": source["id"],
        "destinationConfigId": destination["id"],
        "startTime": iso(NOW - 20 * MINUTE),
    }
    shown = (await call("GET", f"{STEP}/funnel", params=params))["funnel"]
    assert shown["source"] == {
        "received": 14,
        "duplicates": 0,
        "failedOnIngest": 1,
        "filteredAtSource": 1,
        "accepted": 12,
    }
    found = shown["destination"]
    assert (found["pendingBefore"], found["accepted"], found["fannedOut"]) == (5, 12, 1)
    assert (found["notForIt"], found["filteredAtDestination"], found["failedDelivery"]) == (2, 3, 4)
    assert (found["successfulDelivery"], found["deliveredAtOnce"], found["pending"]) == (9, 0, 0)
    del params["destinationConfigId"]
    assert (await call("GET", f"{STEP}/funnel", params=params))["funnel"]["destination"] is None
    new = {"sourceId": source["id"], "metadataId": "actions-webhook", "name": "ZZ: never enabled"}
    new = (await call("POST", "/destinations", new))["destination"]
    sides = (await call("GET", f"{STEP}/side-by-side", params=params))["sideBySide"]["destinations"]
    assert [each["destinationConfigId"] for each in sides] == [destination["id"], new["id"]]
    assert [each["steps"] for each in sides] == [found, None]
    other = (await call("POST", "/sources", {"slug": "x", "metadataId": "python"}, status=201))["source"]
    params = {"sourceId": other["id"], "destinationConfigId": destination["id"]}
    (error,) = await call("GET", f"{STEP}/funnel", params=params, status=422)
    assert error["field"] == "sourceId"
    assert (await call("GET", f"{STEP}/funnel", params={"sourceId": other["id"]}))["funnel"]["source"]


async def test_what_waits_can_be_told_apart(
    call: Call, source: dict[str, Any], destination: dict[str, Any], state: SqliteStateStore
) -> None:
    state.open_destination(destination["id"], Position())
    changes = Changes()
    changes.park = [
        Parked(
            subscription_id="sub", message_id=f"m{n}", event_type="track", event_name="A" if n else "B",
            app_version="", received_at=0, payload={}, event={}, due_at=1.0, attempt=1,
            first_attempt_at=1.0, deadline=9.0, code="503",
        )
        for n in range(4)
    ]  # fmt: skip
    state.commit([(destination["id"], changes)], 1.0)
    params = {"sourceId": source["id"], "destinationConfigId": destination["id"]}
    found = await call("GET", f"{STEP}/pending-retry", params=params | {"groupBy": "eventName,discardReason"})
    assert found["total"] == 4
    assert found["dataset"] == [
        {"eventName": "A", "discardReason": "503", "total": 3},
        {"eventName": "B", "discardReason": "503", "total": 1},
    ]
    await call("GET", f"{STEP}/pending-retry", params=params | {"groupBy": "spaceId"}, status=422)
