"""The front door as a process: durable before 200, and the same ids and counts after a kill -9."""

import json
import random
import threading
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import wait_until

from .tracking_door import DoorProcess, chunked, request, track


@pytest.fixture
def door(tmp_path: Path) -> Iterator[DoorProcess]:
    started = DoorProcess(tmp_path / "data").start()
    yield started
    started.close()


def test_a_200_is_on_disk_and_a_repeat_is_not_stored_after_a_kill(door: DoorProcess) -> None:
    assert door.post("/v1/track", track("1")).body == b'{"success": true}'
    door.post("/v1/batch", {"batch": [track("2"), track("3"), {"type": "track"}]})
    door.kill()
    assert door.ids() == ["1", "2", "3"]
    door.start()
    for message_id in ("1", "2", "3", "4"):
        assert door.post("/v1/track", track(message_id)).status == 200
    assert door.ids() == ["1", "2", "3", "4"]
    wait_until(lambda: door.counts().get("duplicate") == 3)
    assert door.counts()["accepted"] == 4


def test_killed_under_load_it_loses_nothing_and_counts_exactly(door: DoorProcess) -> None:
    acknowledged: list[str] = []
    rounds = 3
    done = threading.Event()

    def client(number: int) -> None:
        at = 0
        while not done.is_set():
            ids = [f"{number}-{at}-{each}" for each in range(random.randint(1, 40))]
            body = request("/v1/batch", json.dumps({"batch": [track(each) for each in ids]}).encode())
            try:
                reply = door.send(body)
            except OSError:
                continue  # down: the same ids again, as an SDK does
            if reply is not None and reply.status == 200:
                acknowledged.extend(ids)
                at += 1

    clients = [threading.Thread(target=client, args=(number,)) for number in range(4)]
    for each in clients:
        each.start()
    try:
        for _ in range(rounds):
            before = len(acknowledged)
            wait_until(lambda before=before: len(acknowledged) > before + 200)  # type: ignore[misc]
            door.kill()
            door.start()
    finally:
        done.set()
        for each in clients:
            each.join()
    stored = Counter(door.ids())
    assert set(acknowledged) <= set(stored)
    assert max(stored.values()) == 1
    wait_until(lambda: door.counts().get("accepted") == len(stored), what="accepted counts are exact")


def test_a_stop_in_good_order_keeps_everything(door: DoorProcess) -> None:
    door.post("/v1/track", track("1"))
    door.post("/v1/track", {"type": "track"})
    door.close()
    assert door.counts() == {"accepted": 1, "discarded:no_user_anon_id": 1}
    door.start()
    door.post("/v1/track", track("1"))
    assert door.ids() == ["1"]


def test_one_connection_carries_many_requests(door: DoorProcess) -> None:
    with door.connect() as stream:
        for at in range(20):
            body = json.dumps(track(f"{at}")).encode()
            stream.sendall(request("/v1/track", body))
            assert b" 200 " in stream.recv(65536)
    assert len(door.ids()) == 20


def test_chunked_bodies(door: DoorProcess) -> None:
    body = json.dumps({"batch": [track("1"), track("2")]}).encode()
    head = request("/v1/batch", b"").replace(b"content-length: 0", b"transfer-encoding: chunked")
    reply = door.send(head, *chunked(body, [1, 7, 30]))
    assert reply is not None
    assert reply.status == 200
    assert door.ids() == ["1", "2"]


def test_a_plain_http_client_is_understood(door: DoorProcess) -> None:
    url = f"http://127.0.0.1:{door.port}/v1/identify"
    body = json.dumps({"writeKey": "key-1", "userId": "u", "messageId": "1"}).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=20) as reply:
        assert json.load(reply) == {"success": True}
    assert door.ids() == ["1"]
