"""Hostile requests over sockets: never a 500, never a dead process, and neighbours are kept.

One server serves all tests of this file; each test looks at its own messageIds, and at the end the
process must still be the one that was started.
"""

import gzip
import itertools
import json
import socket
import struct
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .tracking_door import DoorProcess, chunked, read_reply, request, track
from .tracking_server import READ_SECONDS

fresh = map(str, itertools.count())


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DoorProcess]:
    started = DoorProcess(tmp_path_factory.mktemp("poison") / "data").start()
    yield started
    started.close()


def neighbours(door: DoorProcess, poison: bytes) -> tuple[int, int]:
    """Send poison between two good events: the status, and how many of the two are on disk."""
    first, second = f"n{next(fresh)}", f"n{next(fresh)}"
    items = [json.dumps(track(first)).encode(), poison, json.dumps(track(second)).encode()]
    reply = door.post("/v1/batch", b'{"batch":[' + b",".join(items) + b'],"sentAt":"2024-01-01T00:00:00Z"}')
    return reply.status, len({first, second} & set(door.ids()))


def event_with(value: bytes) -> bytes:
    return b'{"type":"track","userId":"u","event":"e","properties":{"x":' + value + b"}}"


POISON = {
    "infinite number": b"1e400",
    "huge integer": b"9" * 3000,
    "lone surrogate": b'"\\ud800"',
    "reversed surrogates": b'"\\udc00\\ud800"',
    "10,000 arrays": b"[" * 10_000 + b"]" * 10_000,
    "5,000 objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "depth that is read but not written": b"[" * 600 + b"]" * 600,
    "not UTF-8": b'"\xff\xfe"',
    "overlong UTF-8": b'"\xc0\xaf"',
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
def test_poison_costs_the_event_that_holds_it(door: DoorProcess, poison: bytes) -> None:
    assert neighbours(door, event_with(poison)) == (200, 2)
    assert neighbours(door, poison) == (200, 2)
    assert door.post("/v1/track", event_with(poison)).status == 200


def test_poison_over_32_kb_is_answered_400_and_costs_itself(door: DoorProcess) -> None:
    assert neighbours(door, event_with(b"[" * 30_000 + b"]" * 30_000)) == (400, 2)


@pytest.mark.parametrize(
    "broken", [b"NaN", b"Infinity", b'"\x00"', b"{", b"tru", b'"\\x"', b"0x1", b"'a'", b"[1,]"]
)
def test_what_is_not_json_is_400(door: DoorProcess, broken: bytes) -> None:
    assert neighbours(door, event_with(broken)) == (400, 0)
    assert door.post("/v1/track", event_with(broken)).status == 400


def test_escaped_nul_and_odd_but_sound_text_pass(door: DoorProcess) -> None:
    for text in (
        b'"\\u0000"',
        b'"\\ud83d\\ude00"',
        b'"\\uffff\\u2028"',
        b"1e308",
        b"-0.0",
        b"[" * 100 + b"]" * 100,
    ):
        message_id = f"odd{next(fresh)}"
        body = event_with(text)[:-1] + b',"messageId":"' + message_id.encode() + b'"}'
        assert door.post("/v1/track", body).status == 200
        assert message_id in door.ids()


def test_duplicate_keys_are_read_as_every_reader_reads_them(door: DoorProcess) -> None:
    message_id = f"d{next(fresh)}"
    body = b'{"userId":1,"userId":"u","event":"e","messageId":"x","messageId":"%s"}' % message_id.encode()
    assert door.post("/v1/track", body).status == 200
    assert message_id in door.ids()
    twice = json.dumps(track(f"d{next(fresh)}")).encode()
    reply = door.post("/v1/batch", b'{"batch":[1e400],"batch":[' + twice + b"]}")
    assert reply.status == 200
    assert json.loads(twice)["messageId"] in door.ids()


def test_2501_events_are_200_and_none_is_kept(door: DoorProcess) -> None:
    before = len(door.ids())
    items = [{"type": "track", "userId": "u", "event": "e"}] * 2501
    assert door.post("/v1/batch", {"batch": items}).status == 200
    assert len(door.ids()) == before


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = (
    "type", "messageId", "userId", "anonymousId", "event", "name", "category", "groupId", "previousId",
    "properties", "traits", "context", "integrations", "timestamp", "sentAt", "originalTimestamp",
    "receivedAt", "channel", "version", "writeKey",
)  # fmt: skip
CONTEXT = ("ip", "direct", "library", "device", "traits", "consent", "channel", "userAgent", "page")
events = st.fixed_dictionaries(
    {}, optional={**dict.fromkeys(FIELDS, json_values), "context": json_values | st.fixed_dictionaries(
        {}, optional=dict.fromkeys(CONTEXT, json_values))}
)  # fmt: skip
relaxed = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@relaxed
@given(
    event=events, type=st.sampled_from(["identify", "track", "page", "screen", "group", "alias", "x", None])
)
def test_wrong_types_in_every_field(door: DoorProcess, event: dict[str, Any], type: str | None) -> None:
    if type is not None:
        event = {"type": type, "userId": "u", "event": "e", **event, "messageId": f"w{next(fresh)}"}
    try:
        raw = json.dumps(event, allow_nan=False).encode()
    except ValueError:
        raw = json.dumps(event).encode()  # NaN and Infinity: not JSON
    for path in ("/v1/track", "/v1/identify", "/v1/p", "/v1/alias"):
        assert door.post(path, raw).status in (200, 400)
    if b"NaN" not in raw and b"Infinity" not in raw:
        status, kept = neighbours(door, raw)
        assert (status, kept) == (200, 2)


@relaxed
@given(
    body=st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("batch", "writeKey", "sentAt", "context", "integrations", "series"),
            json_values | st.lists(events, max_size=3),
        ),
    )
    | json_values
)
def test_wrong_types_around_a_batch(door: DoorProcess, body: Any) -> None:
    for path in ("/v1/batch", "/v1/import", "/v1/m"):
        assert door.post(path, body).status in (200, 400)


@relaxed
@given(
    body=st.binary(max_size=200), path=st.sampled_from(["/v1/batch", "/v1/track", "/v1/m"]), zip=st.booleans()
)
def test_noise(door: DoorProcess, body: bytes, path: str, zip: bool) -> None:
    raw = gzip.compress(body) if zip else body
    assert door.post(path, raw, b"content-encoding: gzip\r\n" if zip else b"").status in (200, 400)


@relaxed
@given(query=st.binary(max_size=120), data=st.binary(max_size=60))
def test_noise_in_pixels_and_headers(door: DoorProcess, query: bytes, data: bytes) -> None:
    printable = quote(query, safe="=&.+%/?:;")
    assert door.get("/v1/pixel/track?" + printable).status == 200
    assert door.get("/v1/pixel/page?data=" + data.hex()).status == 200
    header = bytes(byte for byte in data if 0x20 <= byte < 0x7F)
    raw = json.dumps(track(f"h{next(fresh)}")).encode()
    for name in (b"authorization", b"origin", b"content-encoding", b"x-forwarded-for", b"user-agent"):
        reply = door.send(
            b"POST /v1/track HTTP/1.1\r\nhost: x\r\n%s: %s\r\ncontent-length: %d\r\n\r\n"
            % (name, header, len(raw))
            + raw
        )
        assert reply is not None
        assert reply.status in (200, 400)


def test_gzip_bombs_and_truncated_gzip(door: DoorProcess) -> None:
    header = b"content-encoding: gzip\r\n"
    bomb = gzip.compress(b'{"batch":[' + b" " * (32 << 20) + b"]}")
    assert len(bomb) < 500 * 1024
    for body in (
        bomb,
        gzip.compress(b"{}")[:-3],
        gzip.compress(b"") * 5000,
        b"\x1f\x8b",
        b"\x1f\x8b\x08nonsense",
    ):
        assert door.post("/v1/batch", body, header).status == 400
        assert door.post("/v1/batch", body).status == 400


def test_a_large_body_is_refused_and_its_sender_hears_it(door: DoorProcess) -> None:
    for size in (600_000, 3_000_000):
        assert door.post("/v1/batch", b" " * size).status == 400
    endless = request("/v1/batch", b"").replace(b"content-length: 0", b"transfer-encoding: chunked")
    reply = door.send(endless, *chunked(b" " * 2_000_000, [60_000] * 40))
    assert reply is not None
    assert reply.status == 400


def test_a_huge_content_length_is_answered_without_its_body(door: DoorProcess) -> None:
    for length in (b"99999999999", b"9" * 30):
        with door.connect() as stream:
            stream.sendall(b"POST /v1/batch HTTP/1.1\r\nhost: x\r\ncontent-length: " + length + b"\r\n\r\n{}")
            reply = read_reply(stream)
            assert reply is None or reply.status in (400, 408)
    assert door.post("/v1/track", track(f"s{next(fresh)}")).status == 200


def test_slow_bodies_are_given_up_while_others_go_on(door: DoorProcess) -> None:
    slow = [door.connect() for _ in range(20)]
    for stream in slow:
        stream.sendall(request("/v1/batch", b"x" * 1000)[:-900])
    for _ in range(20):
        assert door.post("/v1/track", track(f"s{next(fresh)}")).status == 200
    for stream in slow:
        stream.settimeout(READ_SECONDS + 20)
        reply = read_reply(stream)
        assert reply is not None
        assert reply.status == 408
        stream.close()


def test_clients_that_leave(door: DoorProcess) -> None:
    body = request("/v1/track", json.dumps(track(f"s{next(fresh)}")).encode())
    for cut in range(1, len(body), 7):
        with door.connect() as stream:
            if cut % 2:  # a reset instead of a close
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            stream.sendall(body[:cut])
    for _ in range(20):  # and before the answer
        with door.connect() as stream:
            stream.sendall(request("/v1/track", json.dumps(track(f"s{next(fresh)}")).encode()))
    assert door.post("/v1/track", track(f"s{next(fresh)}")).status == 200


def test_long_urls_and_headers(door: DoorProcess) -> None:
    for chunk in (
        b"GET /v1/pixel/page?" + b"a" * 60_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /v1/" + b"a" * 200_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        request("/v1/track", b"{}", b"x-long: " + b"a" * 60_000 + b"\r\n"),
        request("/v1/track", b"{}", b"x-long: " + b"a" * 2_000_000 + b"\r\n"),
        request("/v1/track", b"{}", b"x: y\r\n" * 5_000),
    ):
        reply = door.send(chunk)
        assert reply is None or reply.status < 500
    assert door.post("/v1/track", track(f"s{next(fresh)}")).status == 200
