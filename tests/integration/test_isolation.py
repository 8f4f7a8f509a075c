"""One dead and one slow destination do not slow down 98 healthy ones.

A source has at most 25 instances of a destination (spec §8.4), so there are four, and each event goes to all.
"""

import json
import time
from datetime import datetime

import pytest
from harness import Onward, Sink, Source, free_port, wait_until

SOURCES = 4
HEALTHY = 98
EVENTS = 40
RATE = 20.0
"""Events a second, each to every destination."""
SLACK_MS = 10.0
"""What two runs of the very same thing differ by on a busy machine."""


def p99_ms(onward: Onward, sources: list[Source], sink: Sink) -> float:
    """Of the time from receipt to arrival at the healthy destinations, over one run."""
    before = sink.stats()["items"]
    began = time.monotonic()
    for n in range(EVENTS):
        time.sleep(max(0.0, began + n / RATE - time.monotonic()))  # A steady rate, not a wait for something.
        for source in sources:
            onward.send(source, [{"type": "track", "event": "E", "userId": "u"}])
    wait_until(lambda: sink.stats()["items"] >= before + EVENTS * HEALTHY, 60)
    requests = sink.requests()[before:]
    assert len(requests) == EVENTS * HEALTHY
    delays = sorted(
        (request["time"] - datetime.fromisoformat(json.loads(request["body"])["receivedAt"]).timestamp())
        * 1000
        for request in requests
    )
    return delays[int(len(delays) * 0.99)]


@pytest.mark.timeout(300)
def test_the_healthy_do_not_notice_the_dead_and_the_slow(onward, sink, sink_factory):
    slow = sink_factory("--latency", "5").start()
    sources = [onward.create_source(f"isolation-{n}") for n in range(SOURCES)]
    troubled = [
        onward.create_webhook(sources[0], f"http://127.0.0.1:{free_port()}/", name="dead"),
        onward.create_webhook(sources[0], slow.url, name="slow"),
    ]
    for n in range(HEALTHY):
        onward.create_webhook(sources[(n + 2) // 25], sink.url, name=f"healthy {n}")

    def enable_troubled(enabled: bool) -> None:
        for id in troubled:
            onward.api("PATCH", f"/destinations/{id}", {"enabled": enabled})
        version = onward.metrics()["onward_config_version"]
        wait_until(lambda: onward.metrics()["onward_config_version"] >= version)

    p99_ms(onward, sources, sink)  # Warm: connections, caches.
    seen = []
    for _ in range(4):
        enable_troubled(False)
        alone = p99_ms(onward, sources, sink)
        enable_troubled(True)
        beside = p99_ms(onward, sources, sink)
        seen.append((round(alone, 1), round(beside, 1)))
        if beside <= alone * 1.10 + SLACK_MS:
            break
    else:
        pytest.fail(f"p99 in ms, alone and beside a dead and a slow destination: {seen}")
    print(f"p99 in ms, alone and beside: {seen}")
    assert slow.stats()["items"] >= 1
