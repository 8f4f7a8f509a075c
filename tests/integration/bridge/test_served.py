"""Real processes: events through the catalogue's JavaScript to a sink, over a kill of its worker."""

import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from harness import Onward, Sink, wait_until

BRAZE = {"app_id": "app", "api_key": "key", "endpoint": "https://rest.iad-01.braze.com"}


def connect(onward: Onward, source: Any, slug: str, settings: dict[str, Any], **mapping: Any) -> str:
    """A destination with its action `trackEvent` for every track event; its id."""
    body = {"sourceId": source.id, "metadataId": slug, "enabled": False, "settings": settings}
    id = str(onward.api("POST", "/destinations", body)["destination"]["id"])
    subscription = {"name": "All", "actionId": "trackEvent", "trigger": 'type = "track"', "enabled": True}
    onward.api("POST", f"/destinations/{id}/subscriptions", {**subscription, "settings": mapping})
    onward.api("PATCH", f"/destinations/{id}", {"enabled": True})
    return id


def workers(onward: Onward) -> list[int]:
    """Pids of the catalogue's workers of the delivery process."""
    parent = onward.pids()["delivery-0"]
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes().split(b"\0")
            fields = (path / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and b"catalogue" in command:
            found.append(int(path.name))
    return found


def braze(sink: Sink) -> list[Any]:
    import json

    return [
        (request["path"], event["external_id"])
        for request in sink.requests()
        if request["status"] == 200
        for event in json.loads(request["body"])["events"]
    ]


def known_to_delivery(onward: Onward) -> set[str]:
    with closing(sqlite3.connect(onward.data / "state.db")) as db:
        return {id for (id,) in db.execute("SELECT id FROM destination")}


def track(n: int) -> dict[str, Any]:
    return {"type": "track", "event": "E", "userId": f"u{n}", "messageId": f"m{n}"}


MAPPING = {
    "external_id": {"@path": "$.userId"},
    "name": {"@path": "$.event"},
    "time": {"@path": "$.receivedAt"},
    "_update_existing_only": False,
}


def test_events_arrive_also_over_a_kill_of_the_worker(
    catalogue: object, onward_factory: Callable[..., Onward], sink: Sink
) -> None:
    onward = onward_factory(egress_override=f"*=http://127.0.0.1:{sink.port}").start()
    source = onward.create_source()
    id = connect(onward, source, "actions-braze-cloud", BRAZE, **MAPPING, enable_batching=True, batch_size=20)
    onward.send(source, [track(n) for n in range(100)])
    wait_until(lambda: len(braze(sink)) >= 100, what="100 events at the sink")
    (worker,) = workers(onward)
    os.kill(worker, signal.SIGKILL)
    onward.send(source, [track(n) for n in range(100, 200)])
    wait_until(lambda: len({user for _, user in braze(sink)}) == 200, what="all events at the sink")
    assert {path for path, _ in braze(sink)} == {"/users/track"}
    outcomes = f'destination="{id}"'
    delivered = lambda: sum(  # noqa: E731
        value
        for name, value in onward.metrics().items()
        if name.startswith("onward_destination_outcomes_total") and outcomes in name and "delivered" in name
    )
    wait_until(lambda: delivered() == 200, what="200 counted as delivered")
    wait_until(
        lambda: onward.metrics().get('onward_catalogue_worker_deaths_total{role="delivery-0"}') == 1,
        what="the death is counted",
    )
    assert workers(onward) != [worker]
    pids = workers(onward)
    onward.stop()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_without_the_catalogue_events_wait(
    catalogue: object, onward_factory: Callable[..., Onward], sink: Sink, tmp_path: Path
) -> None:
    onward = onward_factory(egress_override=f"*=http://127.0.0.1:{sink.port}").start()
    source = onward.create_source()
    connect(onward, source, "actions-braze-cloud", BRAZE, **MAPPING)
    unwanted = connect(onward, source, "actions-braze-cloud", BRAZE, **MAPPING)
    wait_until(lambda: unwanted in known_to_delivery(onward), what="it is known to delivery")
    onward.stop()
    onward.environment["ONWARD_CATALOG"] = str(tmp_path / "none")
    onward.start()
    onward.send(source, [track(n) for n in range(5)])
    wait_until(lambda: "onward catalog update" in onward.log.read_text(), what="a line that says what to do")
    assert braze(sink) == []
    onward.api("DELETE", f"/destinations/{unwanted}")
    wait_until(lambda: unwanted not in known_to_delivery(onward), what="it leaves nothing behind")
    (health,) = onward.api("GET", "/connections/health")["health"]["destinations"]
    assert health["health"] == "paused" and "onward catalog update" in health["summary"]
    onward.stop()
    del onward.environment["ONWARD_CATALOG"]
    onward.start()
    wait_until(lambda: len(braze(sink)) == 5, what="the events that waited")
