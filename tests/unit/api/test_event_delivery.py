"""Event Delivery: totals, trend, errors with their texts, and samples."""

import time
from typing import Any

import pytest

from onward.delivery.state.protocol import Changes, Count, Parked
from onward.delivery.state.sqlite import SqliteStateStore
from onward.eventlog.protocol import Position
from onward.metering.fates import Sample
from onward.metering.outcomes import percentile, window
from onward.metering.reasons import reason

from .conftest import Call, ClientOf

Json = dict[str, Any]


def count(outcome: str, code: str, subscription: str = "sub") -> Count:
    return Count(outcome, code, subscription, "track", "Bought", "1.0")


def sample(**fields: Any) -> Sample:
    values: Json = {
        "subscription_id": "sub",
        "outcome": "discarded",
        "code": "400",
        "at": int(time.time() * 1000),
        "received_at": 0,
        "message_id": "m1",
        "attempt": 1,
        "message": "ada@example.com is unknown",
        "event": {"userId": "u", "properties": {"phone": "0228", "total": 3}},
        "payload": {"email": "ada@example.com", "plan": "pro"},
        "exchanges": [
            {
                "request": {
                    "method": "POST",
                    "url": "https://tool.example/in?email=ada@example.com",
                    "headers": {"content-type": "application/json"},
                    "body": '{"email":"ada@example.com","plan":"pro"}',
                },
                "response": {"status": 400, "headers": {}, "body": "no such person: Ada"},
                "error": None,
                "durationMs": 1.5,
            }
        ],
    }
    return Sample(**(values | fields))


@pytest.fixture
def delivered(state: SqliteStateStore, destination: Json) -> Json:
    """100 delivered, 10 of them late, 5 discarded, 20 filtered; two wait."""
    state.open_destination(destination["id"], Position())
    changes = Changes()
    changes.counts = {
        count("delivered", "successes.attempt.1"): 90,
        count("delivered", "successes.attempt.3", "other"): 10,
        count("discarded", "400"): 5,
        count("retried", "503", "other"): 20,
        count("filtered", "NO_MATCHING_MAPPING", ""): 20,
    }
    changes.latency = {("sub", 0): 90, ("other", 6): 10}
    changes.samples = [sample(), sample(outcome="retry", code="503", subscription_id="other", exchanges=[])]
    changes.park = [
        Parked(
            subscription_id=id, message_id=id, event_type="track", event_name="Bought", app_version="",
            received_at=0, payload={}, event={}, due_at=1.0, attempt=1, first_attempt_at=1.0, deadline=9.0,
            code="503",
        )
        for id in ("sub", "other")
    ]  # fmt: skip
    state.commit([(destination["id"], changes)], time.time())
    return destination


async def test_totals_trend_and_errors(call: Call, delivered: Json) -> None:
    shown = (await call("GET", f"/destinations/{delivered['id']}/event-delivery"))["eventDelivery"]
    totals = shown["totals"]
    assert (totals["delivered"], totals["notDelivered"], totals["filtered"], totals["retried"]) == (
        100,
        5,
        20,
        20,
    )
    assert totals["successRate"] == round(100 / 105, 4) and totals["firstAttemptRate"] == round(90 / 105, 4)
    assert totals["averageAttempts"] == 1.2
    assert 500 < totals["p95LatencyMs"] <= 1000
    assert shown["now"] == {"pending": 2, "retrying": 2, "pausedSince": None}
    assert sum(each["delivered"] for each in shown["series"]) == 100
    assert len(shown["series"]) in (96, 97) and shown["bucketMinutes"] == 15
    first, second = shown["errors"]
    assert (first["code"], first["outcome"], first["count"]) == ("503", "retried", 20)
    assert first["subscriptions"] == [{"subscriptionId": "other", "count": 20}]
    assert (second["code"], second["count"]) == ("400", 5) and second["remedy"] and second["explanation"]
    assert [each["code"] for each in shown["filtered"]] == ["NO_MATCHING_MAPPING"]


async def test_one_mapping(call: Call, delivered: Json) -> None:
    path = f"/destinations/{delivered['id']}/event-delivery?subscriptionId=other"
    shown = (await call("GET", path))["eventDelivery"]
    assert (shown["totals"]["delivered"], shown["totals"]["notDelivered"]) == (10, 0)
    assert shown["totals"]["averageAttempts"] == 3 and shown["now"]["retrying"] == 1
    assert [each["code"] for each in shown["errors"]] == ["503"] and shown["filtered"] == []


async def test_windows_from_ten_minutes_to_a_month(call: Call, delivered: Json) -> None:
    path = f"/destinations/{delivered['id']}/event-delivery"
    now = time.time()

    def at(ago: float) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - ago))

    for ago, bucket in ((600, 1), (4 * 3600, 1), (24 * 3600, 15), (14 * 86400, 180), (30 * 86400, 180)):
        shown = (await call("GET", path, params={"startTime": at(ago)}))["eventDelivery"]
        assert shown["totals"]["delivered"] == 100 and len(shown["series"]) <= 242, ago
        assert shown["bucketMinutes"] == bucket, ago
    shown = (await call("GET", path, params={"startTime": at(7200), "endTime": at(3600)}))["eventDelivery"]
    assert shown["totals"]["delivered"] == 0 and shown["errors"] == []
    for params in (
        {"startTime": at(60)},
        {"startTime": at(40 * 86400)},
        {"startTime": at(0), "endTime": at(600)},
        {"startTime": "yesterday"},
    ):
        await call("GET", path, params=params, status=422)


async def test_samples_show_request_and_answer(call: Call, delivered: Json) -> None:
    path = f"/destinations/{delivered['id']}/delivery-samples"
    (one,) = (await call("GET", path, params={"code": "400"}))["samples"]
    assert one["outcome"] == "discarded" and one["exchanges"][0]["response"]["status"] == 400
    (other,) = (await call("GET", path, params={"outcome": "retried"}))["samples"]
    assert other["code"] == "503"
    assert len((await call("GET", path))["samples"]) == 2
    assert (await call("GET", path, params={"subscriptionId": "nobody"}))["samples"] == []


async def test_personal_data_is_masked_in_samples(delivered: Json, client_of: ClientOf) -> None:
    path = f"/destinations/{delivered['id']}/delivery-samples?code=400"
    async with client_of({"source-read-only": []}) as client:
        (one,) = (await client.get(path)).json()["data"]["samples"]
    assert "ada" not in str(one).lower() and "0228" not in str(one)
    assert one["exchanges"][0]["response"]["status"] == 400 and '"plan":"pro"' in str(one)
    async with client_of({"source-read-only": [], "pii-access": []}) as client:
        (one,) = (await client.get(path)).json()["data"]["samples"]
    assert "ada@example.com" in one["exchanges"][0]["request"]["url"]


async def test_every_code_has_a_text(call: Call) -> None:
    reasons = (await call("GET", "/delivery-overview/reasons"))["reasons"]
    assert set(reasons) == {"ingest", "source", "destination", "delivery"}
    assert all(
        each["title"] and each["explanation"] and each["remedy"] for step in reasons.values() for each in step
    )
    for code in ("418", "599", "EPIPE", "my_own_code", ""):
        known = reason("delivery", code)
        assert known.title and known.remedy


def test_percentiles_lie_within_their_bucket() -> None:
    assert percentile({}, (10, 20)) is None
    assert percentile({0: 100}, (10, 20)) == 9.5
    assert percentile({0: 94, 1: 6}, (10, 20)) == pytest.approx(11.7, abs=0.1)
    assert percentile({2: 1}, (10, 20)) == 20


def test_old_windows_begin_at_the_hour() -> None:
    now = 10_000 * 60_000 * 60
    found = window(now - 10 * 86_400_000 + 61_000, now, now)
    assert found.start % 60 == 0 and found.bucket % 60 == 0


async def test_deliverability(call: Call, delivered: Json) -> None:
    shown = (await call("GET", "/delivery-overview/deliverability"))["deliverability"]
    (one,) = shown["destinations"]
    assert (one["firstAttemptRate"], one["finalRate"]) == (round(90 / 105, 4), round(100 / 105, 4))
    assert one["rescued"] == 10 and shown["total"]["delivered"] == 100
    assert sum(point["notDelivered"] for point in one["series"]) == 5
    path = "/delivery-overview/deliverability?destinationId=other"
    assert (await call("GET", path))["deliverability"]["destinations"] == []
