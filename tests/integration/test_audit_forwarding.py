"""The audit trail goes to a source's destinations, whatever is killed meanwhile."""

from typing import Any

from harness import Onward, Sink, wait_until


def trail(onward: Onward) -> dict[str, str]:
    """Id of each entry → what it says, in order, from the forwarding on."""
    events: list[dict[str, Any]] = onward.api("GET", "/audit-events?pagination[count]=1000")["events"]
    types = {event["id"]: event["type"] for event in reversed(events)}
    start = list(types.values()).index("Audit Forwarding Modified")
    return dict(list(types.items())[start:])


def test_every_entry_arrives_once_though_the_web_process_is_killed(onward: Onward, sink: Sink) -> None:
    source = onward.create_source("trail")
    onward.create_webhook(source, sink.url)
    onward.api("PUT", "/audit-forwarding", {"sourceId": source.id})
    for number in range(6):
        onward.api("POST", "/labels", {"label": {"key": "n", "value": str(number)}})
        if number % 2:
            before = onward.pids()["web"]
            onward.kill("web")  # with entries that wait, or that were just handed over
            wait_until(
                lambda before=before: onward.pids().get("web") not in (None, before), what="web is back"
            )
            wait_until(onward.ready, what="it is ready")
    entries = trail(onward)
    assert list(entries.values()) == ["Audit Forwarding Modified", *["Label Created"] * 6]
    wait_until(
        lambda: len({event["messageId"] for event in sink.events()}) >= len(entries), what="all arrive"
    )
    arrived = {event["messageId"]: event for event in sink.events()}
    assert {id: event["event"] for id, event in arrived.items()} == entries
    assert all(event["type"] == "track" and event["properties"]["actor"] for event in arrived.values())
    debugger = onward.api("GET", f"/sources/{source.id}/debugger")["events"]
    accepted = [line["messageId"] for line in debugger if line["verdict"] == "accepted"]
    assert len(accepted) == len(set(accepted)), "what was handed over twice is a duplicate"
