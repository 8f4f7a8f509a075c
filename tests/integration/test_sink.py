"""The sink is what other tests measure with, so what it claims to record and answer must be so."""

import json
import socket
import threading
import time
from collections.abc import Callable

import pytest
from harness import Sink, http, wait_until

from onward import cli


def test_records_what_it_gets_and_answers_200(sink: Sink) -> None:
    before = time.time()
    answer = http("POST", sink.url + "?a=1", {"type": "track", "n": "é"}, {"X-Custom": "yes"})
    assert (answer.status, answer.json()) == (200, {"ok": True})
    [entry] = sink.requests()
    assert before <= entry["time"] <= time.time()
    assert (entry["method"], entry["path"], entry["status"]) == ("POST", "/hook?a=1", 200)
    assert entry["headers"]["x-custom"] == "yes"
    assert json.loads(entry["body"]) == {"type": "track", "n": "é"}


def test_counts_the_items_of_delivered_batches_only(sink: Sink) -> None:
    http("POST", sink.url, [{"a": 1}, {"a": 2}, {"a": 3}])
    http("POST", sink.url, {"a": 4})
    sink.behave(status=500)
    http("POST", sink.url, [{"a": 5}])
    stats = sink.stats()
    assert (stats["requests"], stats["items"]) == (3, 4)
    assert stats["statuses"] == {"200": 2, "500": 1}
    assert [event["a"] for event in sink.events()] == [1, 2, 3, 4]


def test_fails_with_the_status_and_retry_after_it_was_told(sink: Sink) -> None:
    sink.behave(status=429, retry_after=7)
    answer = http("POST", sink.url, {})
    assert (answer.status, answer.headers["retry-after"]) == (429, "7")
    sink.behave(status=None, retry_after=None)
    assert http("POST", sink.url, {}).status == 200


def test_fails_a_share_of_the_requests(sink: Sink) -> None:
    sink.behave(fail_rate=0.5)
    statuses = {http("POST", sink.url, {}).status for _ in range(64)}
    assert statuses == {200, 500}  # one in 2⁶³ runs sees only one of them


def test_answers_late(sink: Sink) -> None:
    sink.behave(latency=0.3)
    start = time.monotonic()
    http("POST", sink.url, {})
    assert time.monotonic() - start >= 0.3


def test_resets_connections_and_records_that_there_was_no_answer(sink: Sink) -> None:
    sink.behave(reset=True)
    with pytest.raises(OSError, match=r"[Rr]eset"):
        http("POST", sink.url, {})
    wait_until(lambda: [entry["status"] for entry in sink.requests()] == [None])


def test_hangs_until_the_client_gives_up(sink: Sink) -> None:
    sink.behave(hang=1)
    with pytest.raises(TimeoutError):
        http("POST", sink.url, {}, timeout=0.3)
    wait_until(lambda: [entry["status"] for entry in sink.requests()] == [None])


@pytest.mark.parametrize("change", [{"fail_rat": 1}, {"fail_rate": 2}, {"status": "x"}, {"latency": -1}])
def test_refuses_behaviour_it_does_not_know(sink: Sink, change: dict[str, object]) -> None:
    answer = http("POST", f"http://127.0.0.1:{sink.port}/_control", change)
    assert answer.status == 400
    assert next(iter(change)) in answer.json()["error"]
    assert http("POST", sink.url, {}).status == 200


def test_answers_pipelined_requests_in_order(sink: Sink) -> None:
    sink.behave(latency=0.05)
    request = b"POST /%d HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"
    with socket.create_connection(("127.0.0.1", sink.port)) as client:
        client.sendall(b"".join(request % number for number in range(3)))
        got = b""
        while got.count(b"HTTP/1.1 200") < 3:
            got += client.recv(4096)
    assert [entry["path"] for entry in sink.requests()] == ["/0", "/1", "/2"]


def test_survives_what_is_not_http(sink: Sink) -> None:
    with socket.create_connection(("127.0.0.1", sink.port)) as client:
        client.sendall(b"\x00\x01 nonsense\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 400")
    assert http("POST", sink.url, {}).status == 200


def test_keeps_what_it_answered_when_it_is_killed(sink: Sink) -> None:
    """A request that was answered is in the file, whenever the kill comes."""
    answered: list[int] = []

    def load() -> None:
        number = 0
        while True:
            try:
                http("POST", sink.url, {"n": number}, timeout=2)
            except OSError:
                return
            answered.append(number)
            number += 1

    clients = [threading.Thread(target=load) for _ in range(2)]
    for client in clients:
        client.start()
    wait_until(lambda: len(answered) > 50)
    sink.stop()
    for client in clients:
        client.join()
    assert len(sink.requests()) >= len(answered)
    assert set(answered) <= {event["n"] for event in sink.events()}


def test_answers_with_the_body_that_it_was_given(sink_factory: Callable[..., Sink]) -> None:
    sink = sink_factory("--body", '{"status": 1, "ids": ["a"]}').start()
    assert http("POST", sink.url, {}).json() == {"status": 1, "ids": ["a"]}
    sink.behave(status=400)
    assert http("POST", sink.url, {}).json() == {"ok": False}


def test_refuses_a_body_that_is_no_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["sink", "--port", "0", "--body", "{ok}"]) == 2
    assert "must be JSON" in capsys.readouterr().err
