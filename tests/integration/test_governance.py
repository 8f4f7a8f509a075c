"""Tracking plans, schema controls and transformations over real processes: from the API call to the tool."""

import hmac
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from harness import Onward, Sink, Source, http, wait_until

ORDER = {
    "type": "object",
    "properties": {
        "properties": {"type": "object", "properties": {"total": {"type": "number"}, "coupon": {}}},
    },
}
numbers = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Onward]:
    started = Onward(tmp_path_factory.mktemp("governance") / "onward").start()
    yield started
    started.close()


@pytest.fixture
def source(server: Onward) -> Source:
    return server.create_source(f"shop-{next(numbers)}")


def with_plan(server: Onward, source: Source, *rules: dict[str, Any], **settings: Any) -> str:
    """A source that keeps to a plan with these rules and the one for orders; the plan's id."""
    plan = server.api("POST", "/tracking-plans", {"name": "Plan", "type": "LIVE"})["trackingPlan"]["id"]
    order = {"type": "TRACK", "key": "Order Completed", "version": 1, "jsonSchema": ORDER}
    server.api("PUT", f"/tracking-plans/{plan}/rules", {"rules": [order, *rules]})
    server.api("PATCH", f"/sources/{source.id}/settings", settings)
    server.api("POST", f"/tracking-plans/{plan}/sources", {"sourceId": source.id})
    return plan


def track(name: str = "Order Completed", **properties: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "event": name,
        "userId": "u",
        "messageId": f"m{next(numbers)}",
        "properties": properties,
    }


def debugged(server: Onward, source: Source) -> dict[str, tuple[str, str | None]]:
    """messageId → verdict and code, of the source debugger."""
    lines = server.api("GET", f"/sources/{source.id}/debugger?count=500")["events"]
    return {line["messageId"]: (line["verdict"], line["code"]) for line in lines}


def in_force(server: Onward, source: Source, probe: Callable[[], dict[str, Any]], verdict: Any) -> None:
    """Until events like the probe get this verdict."""

    def judged() -> bool:
        event = probe()
        server.send(source, [event])
        return bool(
            wait_until(lambda: debugged(server, source).get(event["messageId"]), what="it is shown")
            == verdict
        )

    wait_until(judged, what=f"the rules make {verdict}")


def arrived(sink: Sink, event: dict[str, Any]) -> dict[str, Any] | None:
    return next((each for each in sink.events() if each.get("messageId") == event["messageId"]), None)


def test_unplanned_events_are_blocked_and_unplanned_properties_left_out(
    server: Onward, source: Source, sink: Sink
) -> None:
    server.create_webhook(source, sink.url)
    with_plan(server, source, track={"allowUnplannedEvents": False, "allowUnplannedEventProperties": False})
    in_force(server, source, lambda: track("Made Up"), ("filtered", "unplanned"))
    planned, made_up = track(total=5, secret="x"), track("Made Up")
    server.send(source, [made_up, planned])
    found = wait_until(lambda: arrived(sink, planned), what="the planned event")
    assert found["properties"] == {"total": 5}
    assert found["context"]["protocols"] == {"sourceId": source.id, "omitted": ["secret"]}
    assert arrived(sink, made_up) is None
    wait_until(lambda: planned["messageId"] in debugged(server, source), what="it is shown")
    assert debugged(server, source)[made_up["messageId"]] == ("filtered", "unplanned")
    plan = http("GET", f"{server.url}/v1/projects/{source.write_key}/settings").json()["plan"]["track"]
    assert (plan["__default"]["enabled"], plan["Order Completed"]["enabled"]) == (False, True)


def test_blocked_events_and_violations_are_forwarded(
    server: Onward, source: Source, sink: Sink, sink_factory: Callable[..., Sink]
) -> None:
    quarantine = server.create_source(f"quarantine-{next(numbers)}")
    aside = sink_factory().start()
    server.create_webhook(source, sink.url)
    server.create_webhook(quarantine, aside.url)
    with_plan(
        server,
        source,
        track={"allowEventOnViolations": False},
        forwardingBlockedEventsTo=quarantine.id,
        forwardingViolationsTo=quarantine.id,
    )
    in_force(server, source, lambda: track(total="x"), ("filtered", "schema_violation"))
    bad, good = track(total="ten"), track(total=10)
    server.send(source, [bad, good])
    wait_until(lambda: arrived(sink, good), what="the good event")
    forwarded = wait_until(lambda: arrived(aside, bad), what="the blocked event")
    assert forwarded["forwardedFromProject"] == source.id
    assert forwarded["context"]["protocols"]["violations"][0]["field"] == "properties.total"
    assert arrived(sink, bad) is None

    def told() -> Any:
        return next(
            (
                each
                for each in aside.events()
                if each["event"] == "Violation Generated"
                and each["properties"]["eventMessageID"] == bad["messageId"]
            ),
            None,
        )

    violation = wait_until(told, what="word of the violation")
    assert violation["properties"]["violationType"] == "Invalid Type"
    assert violation["properties"]["sourceSlug"] == source.slug


def test_transformations_of_the_source_and_of_a_destination(
    server: Onward, source: Source, sink: Sink
) -> None:
    """The source's come before the filters, for all destinations; the destination's after them."""
    server.create_webhook(source, sink.url, drop="event = 'Old Name'")
    body = {"sourceId": source.id, "enabled": True}
    server.api(
        "POST",
        "/transformations",
        body
        | {
            "name": "Rename",
            "if": "event='Old Name'",
            "newEventName": "New Name",
            "propertyRenames": [{"oldName": "price", "newName": "order.total"}],
        },
    )
    key = "a-secret-key"
    server.api(
        "POST",
        "/transformations",
        body
        | {
            "name": "Hide",
            "if": "event='New Name'",
            "destinationMetadataId": "actions-webhook",
            "hashPropertiesConfiguration": {"algorithm": "SHA256", "key": key, "paths": ["email"]},
        },
    )

    def complete() -> Any:
        event, marker = track("Old Name", price=3, email="a@b.c"), track("Marker")
        server.send(source, [event, marker])
        wait_until(lambda: arrived(sink, marker), what="the next event")
        found = arrived(sink, event)
        return found if found and len(found["properties"]["email"]) == 64 else None

    event = wait_until(complete, what="both transformations are in force")
    digest = hmac.digest(key.encode(), b"a@b.c", "sha256").hex()
    assert (event["event"], event["properties"]) == ("New Name", {"order": {"total": 3}, "email": digest})
    assert key not in server.log.read_text()


def test_the_schema_keeps_events_from_a_destination_unless_they_ask_for_it(
    server: Onward, source: Source, sink: Sink
) -> None:
    server.create_webhook(source, sink.url)
    toggles = [
        {"type": "TRACK", "name": "Quiet", "integrations": {"Webhooks (Actions)": False}},
        {"type": "TRACK", "name": "Gone", "enabled": False},
    ]
    server.api("PATCH", f"/sources/{source.id}/schema/events", {"events": toggles})
    in_force(server, source, lambda: track("Gone"), ("filtered", "event_setting"))

    def kept_back() -> bool:
        quiet, loud = track("Quiet"), track("Loud")
        server.send(source, [quiet, loud])
        wait_until(lambda: arrived(sink, loud), what="the next event")
        return arrived(sink, quiet) is None

    wait_until(kept_back, what="the destination's process has the toggles")
    asked = track("Quiet") | {"integrations": {"Webhooks (Actions)": {"option": 1}}}
    server.send(source, [asked])
    wait_until(lambda: arrived(sink, asked), what="the event that asks for it by name")


def test_what_was_governed_survives_a_kill(onward: Onward, sink: Sink) -> None:
    """The changed events are in the log: a new process reads them as the old one would have."""
    source = onward.create_source("shop")
    with_plan(onward, source, track={"allowUnplannedEvents": False, "allowUnplannedEventProperties": False})
    in_force(onward, source, lambda: track("Made Up"), ("filtered", "unplanned"))
    sent = [track(total=n, secret="x") for n in range(50)]
    onward.send(source, [*sent, *(track("Made Up") for _ in range(50))], size=10)
    onward.kill()
    onward.start()
    destination = onward.create_webhook(source, sink.url)
    assert destination
    later = [track(total=n, secret="x") for n in range(50)]
    onward.send(source, [*sent, *later], size=10)
    wait_until(lambda: all(arrived(sink, each) for each in later), what="the later events")
    events = sink.events()
    assert all(each["properties"].keys() == {"total"} for each in events)
    assert len({each["messageId"] for each in events}) == len(events) == 50
