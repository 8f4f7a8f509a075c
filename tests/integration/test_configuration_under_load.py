"""The configuration changes while events flow: in time, without loss, and without leaving anything behind."""

import contextlib
import sqlite3
import time

from harness import wait_until


def event(n):
    return {"type": "track", "userId": "u", "event": "E", "messageId": f"m{n}", "properties": {"n": n}}


def test_a_deleted_destination_with_requests_under_way_holds_up_no_other_change(onward, sink, sink_factory):
    slow = sink_factory("--latency", "20").start()
    source = onward.create_source()
    doomed = onward.create_webhook(source, slow.url, name="slow", delivery={"timeout": 60})
    onward.send(source, [event(0)])
    wait_until(lambda: slow.stats()["connections"] > 1)  # Ours, and the request's.
    onward.api("DELETE", f"/destinations/{doomed}")
    began = time.monotonic()
    onward.create_webhook(source, sink.url, name="new")
    onward.send(source, [event(1)])
    sink.wait_for_events(1)
    assert time.monotonic() - began < 5


def test_what_is_deleted_while_nobody_delivers_is_forgotten(onward, sink):
    source = onward.create_source()
    sink.behave(status=500)
    doomed = onward.create_webhook(source, sink.url, delivery={"maxRetries": 5, "backoffBase": 60})
    kept = onward.create_webhook(source, sink.url, name="kept")
    onward.send(source, [event(n) for n in range(5)])

    def rows(table):
        with contextlib.closing(sqlite3.connect(onward.data / "state.db")) as db:
            return {id for (id,) in db.execute(f"SELECT DISTINCT destination_id FROM {table}")}

    wait_until(lambda: {doomed, kept} <= rows("parked"))
    onward.kill("delivery-0")
    onward.api("DELETE", f"/destinations/{doomed}")
    wait_until(lambda: doomed not in rows("parked") | rows("counter") | rows("latency"))
    onward.wait_ready()
    assert kept in rows("parked")
