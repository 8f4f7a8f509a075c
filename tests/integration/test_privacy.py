"""Deletion and suppression with real processes (spec §16.1, docs/privacy.md)."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import Onward, Sink, Source, wait_until

from onward import eventlog
from onward.delivery.state.sqlite import SqliteStateStore
from onward.eventlog.record import decode
from onward.tracking.ledger import LedgerReader

QUICK = {"backoffBase": 0.2, "backoffCap": 0.5}


def track(user: str, name: str = "Bought") -> dict[str, Any]:
    return {"type": "track", "userId": user, "event": name, "properties": {"mail": f"{user}@example.com"}}


def regulate(onward: Onward, kind: str, *ids: str, source: Source | None = None) -> str:
    path = f"/regulations/sources/{source.id}" if source else "/regulations"
    body = {"regulationType": kind, "subjectType": "USER_ID", "subjectIds": list(ids)}
    return str(onward.api("POST", path, body)["regulateId"])


def regulation(onward: Onward, id: str) -> dict[str, Any]:
    return dict(onward.api("GET", f"/regulations/{id}")["regulation"])


def ended(onward: Onward, id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = regulation(onward, id)
        return found if found["finishedAt"] else None

    found = wait_until(look, what="the regulation ends")
    assert found is not None
    return found


def in_the_log(data: Path) -> str:
    """Everything that the event log holds, as text."""
    log = eventlog.open_eraser(data)
    records = log.scan(0, 10_000)
    log.close()
    return "\n".join(str(decode(record.body)) for record in records)


def suppressed(onward: Onward, source: Source) -> float:
    return onward.metrics().get(
        f'onward_events_discarded_total{{code="USER_SUPPRESSED",source="{source.slug}"}}', 0.0
    )


def test_suppressed_people_are_dropped_with_200_and_flow_again(onward: Onward, sink: Sink) -> None:
    source, other = onward.create_source("web"), onward.create_source("app")
    for each in (source, other):
        onward.create_webhook(each, sink.url)
    onward.send(source, [track("alice", "before"), track("bob", "before")])
    sink.wait_for_events(2)
    regulate(onward, "SUPPRESS_ONLY", "alice")
    regulate(onward, "SUPPRESS_ONLY", "bob", source=source)

    def in_force() -> bool:
        """Each try is answered 200, dropped or not."""
        seen = [suppressed(onward, each) for each in (source, other)]
        for each in (source, other):
            onward.send(each, [track("alice", "try"), track("bob", "try")])
        wait_until(lambda: sum(suppressed(onward, each) for each in (source, other)) >= sum(seen) + 3, 1.5)
        return True

    def comes_to_be(condition: Callable[[], bool]) -> bool:
        try:
            return condition()
        except AssertionError:
            return False

    wait_until(lambda: comes_to_be(in_force), what="the suppression is in force")
    onward.send(source, [track("alice", "after"), track("bob", "after"), track("carol", "after")])
    onward.send(other, [track("alice", "after"), track("bob", "after"), track("carol", "after")])
    wait_until(lambda: [e["userId"] for e in sink.events()].count("carol") == 2, what="who is not suppressed")
    wait_until(lambda: after(sink) == ["bob", "carol", "carol"], what="bob, in the other source alone")
    # Counted, and in no log, debugger or sample.
    assert not [line for line in in_the_log(onward.data).splitlines() if "alice" in line and "after" in line]

    def in_the_debugger() -> list[dict[str, Any]]:
        return list(onward.api("GET", f"/sources/{source.id}/debugger")["events"])

    shown = wait_until(lambda: [e for e in in_the_debugger() if e["payload"]["event"] == "after"])
    assert [e["payload"]["userId"] for e in shown] == ["carol"]
    shown = in_the_debugger()
    assert "USER_SUPPRESSED" not in {e["code"] for e in shown}
    assert LedgerReader(onward.data / "ingest.db").discards(source.id) == []

    regulate(onward, "UNSUPPRESS", "alice", "bob")
    again = itertools.count()

    def flows(user: str) -> bool:
        name = f"again {next(again)}"
        onward.send(source, [track(user, name)])
        arrived = lambda: any((e["userId"], e["event"]) == (user, name) for e in sink.events())  # noqa: E731
        return comes_to_be(lambda: wait_until(arrived, 1.5))

    for user in ("alice", "bob"):
        wait_until(lambda: flows(user), what=f"events of {user} flow again")  # noqa: B023


def after(sink: Sink) -> list[str]:
    return sorted(e["userId"] for e in sink.events() if e["event"] == "after")


def test_deleted_people_are_gone_here_and_the_tool_is_told(
    onward: Onward, sink: Sink, sink_factory: Callable[..., Sink]
) -> None:
    source = onward.create_source("web")
    hook = onward.create_webhook(source, sink.url, delivery=QUICK)
    broken = onward.create_webhook(source, "http://127.0.0.1:1/nobody-listens", name="Broken")
    refusing = sink_factory("--status", "400").start()
    batched = {"enable_batching": True, "batch_size": 2}
    refused = onward.create_webhook(source, refusing.url, name="Refusing", delivery=QUICK, **batched)
    onward.send(source, [track("dave"), track("carol")])
    onward.send(source, [track("carol")])
    onward.post("/v1/track", {**track("carol"), "event": 7}, source.write_key)  # a discard, with a sample
    sink.wait_for_events(3)
    wait_until(
        lambda: onward.api("GET", f"/destinations/{broken}/delivery")["delivery"]["retrying"] == 3,
        what="three payloads wait for the broken destination",
    )
    assert "carol" in in_the_log(onward.data)

    def samples() -> str:
        return json.dumps(onward.api("GET", f"/destinations/{refused}/delivery-samples"))

    wait_until(lambda: "carol@example.com" in samples(), what="a sample of his, sent together with hers")
    id = regulate(onward, "SUPPRESS_WITH_DELETE", "carol")
    assert regulation(onward, id)["overallStatus"] == "INITIALIZED"
    deleted = wait_until(lambda: [e for e in sink.events() if e["type"] == "delete"], what="the delete event")
    assert [(each["userId"], each["channel"]) for each in deleted] == [("carol", "server")]
    assert deleted[0]["messageId"].startswith("delete-")

    # Here, nothing is left of her, and all of him.
    wait_until(lambda: "carol" not in in_the_log(onward.data), what="the log is erased")
    assert in_the_log(onward.data).count("dave@example.com") == 1
    shown = onward.api("GET", f"/sources/{source.id}/debugger")["events"]
    wait_until(
        lambda: "carol" not in json.dumps(onward.api("GET", f"/sources/{source.id}/debugger")),
        what="the debugger is erased",
    )
    assert any("dave" in json.dumps(each) for each in shown)
    assert LedgerReader(onward.data / "ingest.db").discards(source.id) == []
    state = SqliteStateStore(onward.data)
    assert not state.held(broken, lambda user_id, received_at: user_id == "carol")
    state.close()
    assert "carol" not in samples()
    # The books balance, and the broken destination still owes what is his.
    books = onward.api("GET", f"/destinations/{broken}/delivery")["delivery"]
    assert (
        books["received"]
        == 3
        == sum(books[each] for each in ("delivered", "filtered", "discarded", "pending"))
    )
    found = regulation(onward, id)["streamStatus"]
    assert [each["id"] for each in found] == [source.id]
    by_id = {each["id"]: each for each in found[0]["destinationStatus"]}
    assert by_id[hook]["status"] == "FINISHED" and by_id[hook]["finishedAt"]
    assert by_id[broken]["status"] == "RUNNING"  # it is tried again, as deliveries are

    def reason() -> str:
        statuses = regulation(onward, id)["streamStatus"][0]["destinationStatus"]
        return next(str(each["errString"]) for each in statuses if each["id"] == broken)

    assert "ECONNREFUSED" in wait_until(reason, what="the reason is told")
    onward.api("DELETE", f"/destinations/{broken}")
    wait_until(
        lambda: regulation(onward, id)["overallStatus"] == "FAILED",
        what="a tool that was never told makes it fail",
    )


def test_a_deletion_survives_kills(onward: Onward, sink: Sink) -> None:
    source = onward.create_source("web")
    onward.create_webhook(source, sink.url, delivery=QUICK)
    users = [f"user-{number}" for number in range(40)]
    onward.send(source, [track(user) for user in users])
    sink.wait_for_events(40)
    sink.behave(fail_rate=0.2)  # so that nobody fails as often as to be given up on
    id = regulate(onward, "DELETE_ONLY", *users)
    for role in ("delivery-0", "web", "delivery-0", "supervisor"):
        more = len(sink.requests()) + 3
        wait_until(lambda more=more: len(sink.requests()) > more or regulation(onward, id)["finishedAt"])
        onward.kill(role)
        if role == "supervisor":
            onward.start()
        wait_until(onward.ready)
    sink.behave(reset=True)
    sink.behave(fail_rate=0.0)
    found = ended(onward, id)
    assert found["overallStatus"] == "FINISHED"
    (stream,) = found["streamStatus"]
    assert [each["status"] for each in stream["destinationStatus"]] == ["FINISHED"]
    told = {each["userId"] for each in sink.events() if each["type"] == "delete"}
    assert told == set(users)
    assert "@example.com" not in in_the_log(onward.data)
    books = onward.api("GET", f"/destinations/{stream['destinationStatus'][0]['id']}/delivery")["delivery"]
    assert books["received"] == books["delivered"] + books["filtered"] + books["discarded"] == 40


def test_a_destination_that_can_not_delete_makes_it_fail(onward: Onward, sink: Sink) -> None:
    source = onward.create_source("web")
    onward.create_webhook(source, sink.url)
    settings = {"apiSecret": "s", "projectToken": "t"}
    body = {"sourceId": source.id, "metadataId": "actions-mixpanel", "settings": settings, "enabled": True}
    onward.api("POST", "/destinations", body)
    onward.send(source, [track("erin")])
    sink.wait_for_events(1)
    found = ended(onward, regulate(onward, "DELETE_ONLY", "erin"))
    statuses = {each["name"]: each["status"] for each in found["streamStatus"][0]["destinationStatus"]}
    assert sorted(statuses.values()) == ["FINISHED", "NOT_SUPPORTED"]
    assert found["overallStatus"] == "FAILED"
    assert "erin" not in in_the_log(onward.data)  # ours is done all the same (spec §22.23)
    internal = ended(onward, regulate(onward, "DELETE_INTERNAL", "erin"))
    assert internal["overallStatus"] == "FINISHED" and internal["streamStatus"] == []
