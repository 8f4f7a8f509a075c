"""The answer's parser against generated answers, cut and broken in every place."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.egress.connection import Connection
from onward.egress.http import EgressError, Response

CAP = 200


class Transport:
    def __init__(self) -> None:
        self.written = b""
        self.aborted = False
        self.unsent = 0

    def write(self, data: bytes) -> None:
        self.written += data

    def writelines(self, parts) -> None:
        self.written += b"".join(parts)

    def abort(self) -> None:
        self.aborted = True

    def get_write_buffer_size(self) -> int:
        return self.unsent


class Line:
    """A connection and both its ends."""

    def __init__(self, loop) -> None:
        self.loop = loop
        self.lost: list[Connection] = []
        self.transport = Transport()
        self.connection = Connection(CAP, self.lost.append)
        self.connection.connection_made(self.transport)

    def exchange(self, head_only: bool = False) -> asyncio.Future[Response]:
        return self.connection.exchange(b"head", b"body", head_only=head_only, loop=self.loop)


@pytest.fixture(scope="module")
def loop():
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@st.composite
def answers(draw):
    """(bytes, status, body, whether the connection stays)"""
    status = draw(st.sampled_from([200, 201, 204, 304, 400, 404, 429, 500, 503]))
    body = draw(st.binary(max_size=120)) if status not in (204, 304) else b""
    close = draw(st.booleans())
    framing = draw(st.sampled_from(["length", "chunked"])) if status not in (204, 304) else "none"
    out = draw(
        st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early\r\nlink: a\r\n\r\n"])
    )
    out += b"HTTP/1.1 %d Reason\r\n" % status
    if close:
        out += b"connection: close\r\n"
    out += b"x-answer: %d\r\n" % len(body)
    if framing == "length":
        out += b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    elif framing == "chunked":
        out += b"Transfer-Encoding: chunked\r\n\r\n"
        rest = body
        while rest:
            size = draw(st.integers(1, len(rest)))
            out += b"%x\r\n%s\r\n" % (size, rest[:size])
            rest = rest[size:]
        out += b"0\r\n" + draw(st.sampled_from([b"", b"x-answer: trailer\r\n"])) + b"\r\n"
    else:
        out += b"\r\n"
    return out, status, body, not close


def cut(data: bytes, places: list[int]) -> list[bytes]:
    bounds = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(bounds)]


@given(script=st.lists(st.tuples(answers(), st.lists(st.integers(0, 10_000), max_size=8)), max_size=5))
@settings(max_examples=200, deadline=None)
def test_answers_come_out_as_they_went_in_however_they_are_cut(loop, script):
    line = Line(loop)
    for (data, status, body, stays), places in script:
        future = line.exchange()
        for piece in cut(data, places):
            line.connection.data_received(piece)
        response = future.result()
        assert (response.status, response.body) == (status, body)
        assert response.headers["x-answer"] == str(len(body))
        assert not line.connection.busy
        assert line.connection.closed == line.transport.aborted == (not stays)
        if not stays:
            break


@given(
    answer=answers(),
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=4)), max_size=4),
    places=st.lists(st.integers(0, 10_000), max_size=6),
    extra=st.binary(max_size=30),
)
@settings(max_examples=400, deadline=None)
def test_whatever_comes_the_exchange_ends_once_and_nothing_is_left_over(loop, answer, changes, places, extra):
    data = bytearray(answer[0] + extra)
    for place, change in changes:
        start = place % (len(data) + 1)
        data[start : start + len(change)] = change
    line = Line(loop)
    future = line.exchange()
    for piece in cut(bytes(data), places):
        line.connection.data_received(piece)
    if future.done() and not line.connection.closed:
        assert not line.transport.aborted
        line.connection.data_received(b"H")
        assert line.connection.closed, "bytes between two exchanges"
    line.connection.connection_lost(None)
    assert future.done() and line.connection.closed and not line.connection.busy
    assert line.lost == [line.connection]
    error = future.exception()
    if error is None:
        assert len(future.result().body) <= CAP
        assert 200 <= future.result().status <= 999
    else:
        assert isinstance(error, EgressError) and error.retryable


@given(answer=answers(), size=st.integers(0, 10_000))
def test_half_an_answer_is_none(loop, answer, size):
    data = answer[0][: size % len(answer[0])]
    line = Line(loop)
    future = line.exchange()
    if data:
        line.connection.data_received(data)
    line.connection.eof_received()
    assert future.exception().code == "ECONNRESET"


def test_an_answer_before_the_request_is_written_ends_the_connection(loop):
    line = Line(loop)
    future = line.exchange()
    line.transport.unsent = 1
    line.connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert future.result().status == 200
    assert line.connection.closed and line.transport.aborted


def test_head_ends_with_its_headers(loop):
    line = Line(loop)
    future = line.exchange(head_only=True)
    line.connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
    assert future.result().body == b""
    assert line.connection.closed


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("timeout=5", 5.0),
        ("timeout=5, max=100", 5.0),
        ("max=1, Timeout=07", 7.0),
        ("timeout=x", None),
        ("", None),
    ],
)
def test_the_servers_keep_alive_is_read(loop, value, hint):
    line = Line(loop)
    line.exchange()
    line.connection.data_received(f"HTTP/1.1 204 OK\r\nKeep-Alive: {value}\r\n\r\n".encode())
    assert line.connection.keep_alive_hint == hint


def test_a_connection_carries_one_exchange_at_a_time(loop):
    line = Line(loop)
    line.exchange()
    with pytest.raises(RuntimeError):
        line.exchange()


def test_a_caller_who_went_away_is_not_answered(loop):
    line = Line(loop)
    line.exchange().cancel()
    line.connection.data_received(b"HTTP/1.1 204 OK\r\n\r\n")
    assert not line.connection.busy


@pytest.mark.parametrize("more", [b"\0", b"\r\n\0", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"HTTP"])
def test_what_follows_an_answer_at_once_ends_the_connection(loop, more):
    line = Line(loop)
    future = line.exchange()
    line.connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + more)
    assert future.result().body == b"ok"
    assert line.connection.closed and line.transport.aborted
