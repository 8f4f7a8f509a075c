"""Live streams of a real server: a tail that keeps up with what comes, and rates of what flows."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from harness import TOKEN, Onward, wait_until

from onward.api.live import EACH

Json = dict[str, Any]


class Listening:
    """A stream read in a thread: its messages so far."""

    def __init__(self, onward: Onward, path: str) -> None:
        request = urllib.request.Request(
            f"{onward.url}/api{path}", headers={"authorization": f"Bearer {TOKEN}"}
        )
        self.response = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60)
        assert self.response.headers["content-type"].startswith("text/event-stream")
        self.messages: list[Json] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            for line in self.response:
                if line.startswith(b"data: "):
                    self.messages.append(json.loads(line[6:]))
        except (OSError, ValueError, AttributeError):
            pass  # closed by the test

    def close(self) -> None:
        self.response.close()


@pytest.fixture
def listening(onward: Onward) -> Iterator[Any]:
    opened: list[Listening] = []

    def listen(path: str) -> Listening:
        opened.append(Listening(onward, path))
        return opened[-1]

    yield listen
    for each in opened:
        each.close()


def test_a_tail_keeps_up_and_says_what_it_left_out(onward: Onward, listening: Any) -> None:
    source = onward.create_source("shop")
    onward.send(source, [{"type": "track", "event": "Before", "userId": "u"}])
    path = f"/live/sources/{source.id}/debugger?perSecond=25"
    wait_until(lambda: onward.api("GET", f"/sources/{source.id}/debugger")["events"])
    tail = listening(path)
    wait_until(lambda: tail.messages)
    assert [each["payload"]["event"] for each in tail.messages[0]["events"]] == ["Before"]
    events = [{"type": "track", "event": "Bought", "userId": f"u{n}"} for n in range(6000)]
    onward.send(source, events, size=200)
    wait_until(lambda: sum(each["came"] for each in tail.messages[1:]) >= 6000)
    onward.send(source, [{"type": "track", "userId": "nameless"}])
    wait_until(lambda: sum(each["came"] for each in tail.messages[1:]) >= 6001)
    later = tail.messages[1:]
    assert sum(each["came"] for each in later) == 6001
    for each in later:
        assert len(each["events"]) <= 25 and each["skipped"] == each["came"] - len(each["events"])
    last = later[-1]["events"][-1]
    assert (last["verdict"], last["code"]) == ("discarded", "event_not_defined")


def test_rates_tell_what_flows_and_streams_are_bounded(
    onward: Onward, sink_factory: Any, listening: Any
) -> None:
    source = onward.create_source("shop")
    sink = sink_factory().start()
    fine = onward.create_webhook(source, sink.url)
    rates = listening("/live/rates")
    wait_until(lambda: rates.messages)
    first = rates.messages[0]
    assert first["complete"] is True and [each["id"] for each in first["destinations"]] == [fine]

    def moved() -> bool:
        onward.send(source, [{"type": "track", "event": "A", "userId": "u"}])
        return any(
            each["id"] == fine and each["deliveredPerSecond"] > 0
            for message in rates.messages[1:]
            for each in message["destinations"]
        )

    wait_until(moved, what="deliveries show as a rate")
    assert any(each["perSecond"] > 0 for message in rates.messages for each in message["sources"])
    for _ in range(EACH - 1):
        listening("/live/rates")
    onward.api("GET", "/live/rates", expect=429)
