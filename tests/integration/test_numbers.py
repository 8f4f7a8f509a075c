"""Numbers that add up: a mixed run with real processes, asked of the API (docs/delivery-metrics.md)."""

import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from harness import Onward, Source, wait_until

STEPS = ("filtered-at-destination", "failed-delivery", "successful-delivery")


def window() -> dict[str, str]:
    now = time.time()
    return {
        "startTime": datetime.fromtimestamp(now - 3 * 3600, UTC).isoformat(),
        "endTime": datetime.fromtimestamp(now + 600, UTC).isoformat(),
        "granularity": "MINUTE",
    }


def overview(onward: Onward, step: str, source: Source, destination: str = "", **more: str) -> dict[str, Any]:
    query = {"sourceId": source.id, **window(), **more}
    if destination:
        query["destinationConfigId"] = destination
    return dict(onward.api("GET", f"/delivery-overview/{step}?{urlencode(query)}"))


def reasons(onward: Onward, step: str, source: Source, destination: str = "") -> dict[str, int]:
    found = overview(onward, step, source, destination, groupBy="discardReason")
    return {each["discardReason"]: each["total"] for each in found["dataset"]}


def test_numbers_add_up_also_over_kills(onward: Onward, sink_factory: Any) -> None:
    source, other = onward.create_source("shop"), onward.create_source("other")
    good, flaky, picky = (sink_factory().start() for _ in range(3))
    flaky.behave(fail_rate=0.3)
    picky.behave(status=400)
    quick = {"backoffBase": 0.1, "backoffCap": 0.2}
    fine = onward.create_webhook(source, good.url, "Fine", quick)
    retried = onward.create_webhook(source, flaky.url, "Retried", quick, drop='type = "page"')
    refused = onward.create_webhook(source, picky.url, "Refused", quick, trigger='event = "Bought"')
    onward.api(
        "POST",
        "/regulations",
        {"regulationType": "SUPPRESS_ONLY", "subjectType": "USER_ID", "subjectIds": ["hidden"]},
    )
    hidden = 'onward_events_discarded_total{code="USER_SUPPRESSED",source="shop"}'

    def is_hidden() -> float:
        onward.send(other, [{"type": "track", "userId": "hidden", "event": "Seen"}])
        return onward.metrics().get(hidden.replace("shop", "other"), 0.0)

    wait_until(is_hidden, what="the suppression is in force")

    good_ones = 0
    for part in range(6):
        events: list[dict[str, Any]] = []
        for number in range(40):
            user = {"userId": f"u{number % 25}", "anonymousId": f"a{part}-{number % 7}"}
            events.append({"type": "track", "event": "Bought" if number % 2 else "Seen", **user})
        events += [{"type": "page", "name": "Home", "anonymousId": f"visitor {part}"}] * 3
        good_ones += len(events)
        events += [{"type": "track", "userId": "x"}] * 2 + [{"type": "track", "event": "Nobody"}]
        events += [{"type": "track", "userId": "hidden", "event": "Seen"}]
        onward.send(source, events, size=17)
        if part in (2, 4):
            onward.kill("delivery-0")

    def books(id: str) -> dict[str, Any]:
        return dict(onward.api("GET", f"/destinations/{id}/delivery")["delivery"])

    for id in (fine, retried, refused):
        wait_until(lambda id=id: books(id)["pending"] == 0 and books(id)["received"] >= good_ones, timeout=90)

    wait_until(
        lambda: overview(onward, "successfully-received", source)["total"] >= good_ones,
        what="everything that came in is counted",
    )
    received = overview(onward, "successfully-received", source)["total"]
    assert received == good_ones == books(fine)["received"]
    failed = wait_until(
        lambda: found if sum((found := reasons(onward, "failed-on-ingest", source)).values()) >= 24 else None,
        what="what was discarded is counted",
    )
    assert failed["event_not_defined"] == 12 and failed["no_user_anon_id"] == 6
    assert failed["USER_SUPPRESSED"] == onward.metrics()[hidden] == 6
    assert overview(onward, "filtered-at-source", source)["total"] == 0

    # Each destination accounts for every event that was received.
    for id in (fine, retried, refused):
        steps = {step: overview(onward, step, source, id)["total"] for step in STEPS}
        assert sum(steps.values()) == received, steps
        its = books(id)
        assert tuple(steps.values()) == (its["filtered"], its["discarded"], its["delivered"])
        for step in STEPS:
            assert sum(reasons(onward, step, source, id).values()) == steps[step]
    assert reasons(onward, "filtered-at-destination", source, retried) == {"FILTERED_BY_RULES": 18}
    assert reasons(onward, "failed-delivery", source, refused) == {"400": 120}
    assert reasons(onward, "filtered-at-destination", source, refused) == {
        "NO_MATCHING_MAPPING": received - 120
    }
    attempts = reasons(onward, "successful-delivery", source, retried)
    (done,) = overview(onward, "successful-delivery", source, retried)["dataset"]
    assert (
        done["totalRetryCount"] == sum(n for name, n in attempts.items() if name != "successes.attempt.1") > 0
    )
    assert sum(point["retryCount"] for point in done["series"]) == done["totalRetryCount"]
    metrics = onward.api(
        "GET", f"/destinations/{retried}/delivery-metrics?sourceId={source.id}&granularity=HOUR"
    )
    found = {each["metricName"]: each["total"] for each in metrics["deliveryMetricsSummary"]["metrics"]}
    assert found["successes"] == received - 18 and found["filtered"] == 18 and found["retried"] > 0

    # Volume and usage are the same events seen otherwise.
    asked = {**window(), "groupBy": "eventType,eventName", "sourceId": source.id}
    volume = onward.api("GET", f"/events/volume?{urlencode(asked)}")
    assert {(each["eventType"], each["eventName"]): each["total"] for each in volume["result"]} == {
        ("track", "Bought"): 120,
        ("track", "Seen"): 120,
        ("page", "Home"): 18,
    }
    today = datetime.now(UTC).date().isoformat()

    def usage(of: str, name: str) -> list[dict[str, Any]]:
        """The last day of each scope."""
        days = onward.api("GET", f"/usage/{of}/daily?period={today}&pagination[count]=1000")[name]
        return [day for day in days if day["timestamp"] == days[-1]["timestamp"]]

    calls = {
        each["sourceId"]: int(each["apiCalls"])
        for each in usage("api-calls/sources", "dailyPerSourceAPICallsUsage")
    }
    assert calls[source.id] == received
    (together,) = usage("api-calls", "dailyWorkspaceAPICallsUsage")
    assert int(together["apiCalls"]) == sum(calls.values())
    users = next(
        each for each in usage("mtu/sources", "dailyPerSourceMTUUsage") if each["sourceId"] == source.id
    )
    exact = {"identified": 25, "anonymous": 48, "anonymousIdentified": 42, "neverIdentified": 6}
    for name, number in exact.items():  # within what so few may differ by
        assert abs(int(users[name]) - number) <= 1, (name, users)
