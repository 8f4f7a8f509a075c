"""What is said of single events agrees with what arrived, with real processes (docs/delivery-metrics.md)."""

import time
from collections import Counter
from datetime import UTC, datetime
from random import Random
from typing import Any
from urllib.parse import urlencode

from harness import Onward, wait_until

Json = dict[str, Any]
EVENTS = 300


def trace(onward: Onward, **query: Any) -> Json:
    return dict(onward.api("GET", f"/trace?{urlencode(query)}"))


def fate(onward: Onward, message_id: str, destination_id: str) -> Json:
    (found,) = trace(onward, messageId=message_id)["traces"]
    (shown,) = (each for each in found["destinations"] if each["destinationId"] == destination_id)
    return dict(shown)


def test_numbers_and_traces_agree_with_what_arrived(onward: Onward, sink_factory: Any) -> None:
    source = onward.create_source("shop")
    good, flaky, picky, later = (sink_factory().start() for _ in range(4))
    flaky.behave(fail_rate=0.3)
    picky.behave(status=400)
    quick = {"backoffBase": 0.1, "backoffCap": 0.2}
    fine = onward.create_webhook(source, good.url, "Fine", quick, drop='event = "Hidden"')
    retried = onward.create_webhook(source, flaky.url, "Retried", quick)
    refused = onward.create_webhook(source, picky.url, "Refused", quick, trigger='event = "Bought"')
    began = datetime.now(UTC)
    ids = [f"message-{number}" for number in range(EVENTS)]
    names = ("Bought", "Seen", "Hidden")
    sent = [
        {"type": "track", "event": names[n % 3], "userId": f"u{n % 10}", "messageId": id}
        for n, id in enumerate(ids)
    ]

    def books(id: str) -> Json:
        return dict(onward.api("GET", f"/destinations/{id}/delivery")["delivery"])

    onward.send(source, sent[:200], size=20)
    wait_until(lambda: books(fine)["pending"] == 0 and books(fine)["delivered"] > 100)
    # A while in which one of them is off, then on again, with another filter.
    onward.api("PATCH", f"/destinations/{fine}", {"enabled": False})
    # Its process knows that as soon as it knows of a destination that was made later.
    onward.create_webhook(source, later.url, "Later")
    off = 0
    while not later.events():
        extra = {"type": "track", "event": "Seen", "userId": "u", "messageId": f"off-{off}"}
        onward.send(source, [extra])
        off += 1
    onward.send(source, sent[200:250], size=10)
    onward.api("PATCH", f"/destinations/{fine}", {"enabled": True})
    onward.send(source, sent[250:EVENTS], size=10)
    total = EVENTS + off
    everything = (fine, retried, refused)
    wait_until(lambda: all(books(id)["pending"] == 0 for id in everything), timeout=90)

    arrived = {
        id: {event["messageId"] for event in sink.events(status)}
        for id, sink, status in ((fine, good, 200), (retried, flaky, 200), (refused, picky, 400))
    }
    window = {
        "startTime": began.isoformat(),
        "endTime": datetime.fromtimestamp(time.time() + 900, UTC).isoformat(),
    }
    wait_until(
        lambda: (
            onward.api("GET", f"/delivery-overview/funnel?{urlencode({'sourceId': source.id, **window})}")[
                "funnel"
            ]["source"]["accepted"]
            >= EVENTS
        )
    )
    for id in everything:
        query = urlencode({"sourceId": source.id, "destinationConfigId": id, **window})
        funnel = onward.api("GET", f"/delivery-overview/funnel?{query}")["funnel"]
        steps, its = funnel["destination"], books(id)
        assert funnel["source"]["received"] == steps["accepted"] == total
        assert steps["pendingBefore"] + steps["accepted"] == sum(
            steps[name]
            for name in (
                "notForIt",
                "filteredAtDestination",
                "failedDelivery",
                "successfulDelivery",
                "pending",
            )
        )
        shown = onward.api("GET", f"/destinations/{id}/event-delivery?{urlencode(window)}")["eventDelivery"]
        totals = shown["totals"]
        assert totals["delivered"] == steps["successfulDelivery"] == its["delivered"]
        assert totals["notDelivered"] == steps["failedDelivery"] == its["discarded"]
        assert totals["filtered"] == steps["filteredAtDestination"] == its["filtered"]
        if id != refused:
            assert totals["delivered"] == len(arrived[id])
    assert EVENTS - 50 <= books(fine)["received"] <= total - 50 and len(arrived[refused]) == EVENTS // 3
    for n in range(off):
        its = fate(onward, f"off-{n}", fine)["status"]
        assert its == ("delivered" if f"off-{n}" in arrived[fine] else "notForIt")

    statuses = set()
    for n in Random(7).sample(range(EVENTS), 200):
        id = ids[n]
        its = {
            each["destinationId"]: each for each in trace(onward, messageId=id)["traces"][0]["destinations"]
        }
        assert its[retried]["status"] == "delivered", its[retried]
        assert id in arrived[retried]
        assert (
            (its[refused]["status"] == "discarded") == (names[n % 3] == "Bought") == (id in arrived[refused])
        )
        if 200 <= n < 250:
            assert its[fine]["status"] == "notForIt"
        else:
            assert (its[fine]["status"] == "delivered") == (id in arrived[fine]) == (names[n % 3] != "Hidden")
        statuses |= {each["status"] for each in its.values()}
        (one,) = its[retried]["deliveries"]
        assert one["attemptsMade"] == len(one["attempts"]) or one["attemptsMade"] == 1
    assert statuses == {"delivered", "discarded", "filtered", "notForIt"}
    tried = Counter(event["messageId"] for event in flaky.events(None))
    for id in (*ids[:30], *(f"off-{n}" for n in range(off))):
        assert fate(onward, id, retried)["deliveries"][0]["attemptsMade"] == tried[id]
    shown = onward.api("GET", f"/destinations/{retried}/event-delivery?{urlencode(window)}")["eventDelivery"]
    at_once = sum(number == 1 for number in tried.values())
    assert shown["totals"]["firstAttemptRate"] == round(at_once / total, 4)
    assert shown["totals"]["retried"] == tried.total() - total
    given_up = fate(onward, ids[0], refused)["deliveries"][0]
    assert (given_up["code"], given_up["discardId"] is not None) == ("400", True)

    # What was given up on is sent again, when the tool has been mended.
    picky.behave(status=None)
    onward.api("POST", f"/destinations/{refused}/discards/redrive", {"code": "400"})
    (done,) = wait_until(
        lambda: (
            found
            if (found := onward.api("GET", f"/destinations/{refused}/redrives")["redrives"])[0]["status"]
            == "DONE"
            else None
        )
    )
    wait_until(lambda: books(refused)["pending"] == 0)
    assert done["sentAgain"] == books(refused)["delivered"] == len(picky.events()) == EVENTS // 3
    assert books(refused)["discarded"] == 0
    query = urlencode({"sourceId": source.id, "destinationConfigId": refused, **window})
    steps = onward.api("GET", f"/delivery-overview/funnel?{query}")["funnel"]["destination"]
    assert steps["redriven"] == steps["successfulDelivery"] == steps["failedDelivery"] == EVENTS // 3
    assert steps["accepted"] + steps["redriven"] == sum(
        steps[name]
        for name in ("notForIt", "filteredAtDestination", "failedDelivery", "successfulDelivery", "pending")
    )
    assert fate(onward, ids[0], refused)["status"] == "delivered"

    # Of a user, within a time; and what nobody has seen.
    found = trace(onward, userId="u3", startTime=began.isoformat(), limit=50)
    assert {each["messageId"] for each in found["traces"]} == {id for n, id in enumerate(ids) if n % 10 == 3}
    assert found["searched"]["complete"] is True
    nothing = trace(onward, messageId="never sent")
    assert nothing["traces"] == [] and nothing["searched"]["complete"] is True


def test_what_waits_says_where_and_until_when(onward: Onward, sink_factory: Any) -> None:
    source = onward.create_source("shop")
    sink = sink_factory().start()
    sink.behave(status=503)
    slow = onward.create_webhook(source, sink.url, "Slow", {"backoffBase": 300})
    onward.send(source, [{"type": "track", "event": "A", "userId": "u", "messageId": "first"}])
    shown = wait_until(
        lambda: found if (found := fate(onward, "first", slow))["status"] == "retrying" else None
    )
    (one,) = shown["deliveries"]
    assert one["code"] == "503" and one["nextAttemptAt"] > one["attempts"][0]["time"] and one["givesUpAt"]
    events = [{"type": "track", "event": "B", "userId": "u", "messageId": f"b{n}"} for n in range(40)]
    onward.send(source, events, size=40)
    wait_until(lambda: onward.api("GET", f"/destinations/{slow}/delivery")["delivery"]["pausedSince"])
    onward.send(source, [{"type": "track", "event": "C", "userId": "u", "messageId": "last"}])
    shown = wait_until(
        lambda: found if "fails as a whole" in (found := fate(onward, "last", slow))["summary"] else None
    )
    assert shown["status"] == "pending"
