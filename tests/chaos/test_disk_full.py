"""A full disk: tracking says 503 and when to come back, nothing is lost, and it recovers by itself.

The data folder is a small tmpfs, so this needs root (CI runs as root).
"""

import os
import random
import subprocess

import pytest
from chaos.books import balance, read
from harness import Onward, wait_until

MB = 1 << 20
SIZE = 48 * MB


@pytest.fixture
def small_disk(onward_factory, tmp_path):
    """A server whose data folder is a tmpfs of `SIZE` bytes."""
    mounted = []

    def make(**settings) -> Onward:
        onward = onward_factory(**settings)
        onward.data.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(onward.data)], capture_output=True
        )
        if done.returncode:
            if os.environ.get("CI"):
                pytest.fail(f"can't mount a tmpfs: {done.stderr.decode()}")
            pytest.skip("needs root, to mount a small tmpfs")
        mounted.append(onward)
        return onward

    yield make
    for onward in mounted:
        onward.close()
        subprocess.run(["umount", "-l", str(onward.data)], check=True)


@pytest.mark.chaos
@pytest.mark.timeout(300)
@pytest.mark.parametrize("reserve", [12 * MB, 0], ids=["reserve", "no reserve"])
def test_a_full_disk_refuses_loses_nothing_and_recovers(small_disk, sink, reserve):
    onward = small_disk(disk_reserve_bytes=reserve)
    ballast = onward.data / "ballast"
    onward.start()
    ballast.write_bytes(bytes(16 * MB))
    source = onward.create_source("full")
    destination = onward.create_webhook(source, sink.url, enable_batching=True, batch_size=50)
    dice, accepted, number = random.Random(1), set(), 0

    def post() -> int:
        nonlocal number
        number += 1
        events = [
            {
                "type": "track",
                "event": "E",
                "userId": "u",
                "messageId": f"{number}-{n}",
                "properties": {"noise": dice.randbytes(4_000).hex()},
            }
            for n in range(40)
        ]
        answer = onward.post("/v1/batch", {"batch": events}, source.write_key)
        if answer.status == 200:
            accepted.update(event["messageId"] for event in events)
        else:
            assert answer.status == 503, answer
            assert int(answer.headers["retry-after"]) > 0
        return answer.status

    for _ in range(2_000):
        if post() == 503:
            break
    else:
        pytest.fail("the disk never filled up")
    assert accepted
    assert not [role for role in ("web", "delivery-0") if role not in onward.pids()]
    refusals = [post() for _ in range(20)]
    assert refusals.count(503) > 0
    ballast.unlink()
    wait_until(lambda: post() == 200, what="tracking accepts again once there is room")

    def settled() -> bool:
        totals, head = read(onward, source.id)
        return totals[destination].pending(head) == 0

    wait_until(settled, 60, "everything accepted has its outcome")
    totals, head = read(onward, source.id)
    assert balance(totals[destination], head)
    assert head.seq == len(accepted)
    assert {event["messageId"] for event in sink.events()} == accepted
