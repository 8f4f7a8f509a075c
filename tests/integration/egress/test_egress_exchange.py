"""What is sent, and how answers are read."""

import asyncio
import gzip

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from integration.egress.peers import LOOPBACK, OK, Peer, always, fails, hang, once, serving

from onward import __version__
from onward.egress.client import HttpClient
from onward.egress.guard import Guard
from onward.egress.http import EgressError, Request


async def test_sends_what_was_asked_and_reuses_the_connection(client):
    seen = []
    async with serving(always(OK, seen)) as server:
        for method in ("POST", "PUT", "PATCH", "DELETE", "GET"):
            response = await client.send(
                Request(method=method, url=server.url("/a?b=c d"), headers={"X-A": "1"}, body=b"{}")
            )
            assert (response.status, response.body, response.headers["content-length"]) == (200, b"ok", "2")
    assert {number for number, *_ in seen} == {1}
    assert [line for _, line, _, _ in seen] == [
        f"{method} /a?b=c%20d HTTP/1.1" for method in ("POST", "PUT", "PATCH", "DELETE", "GET")
    ]
    _, _, headers, body = seen[0]
    assert body == b"{}"
    assert headers == {
        "host": f"127.0.0.1:{server.port}",
        "x-a": "1",
        "user-agent": f"Onward/{__version__}",
        "accept": "*/*",
        "content-length": "2",
    }


async def test_a_post_without_a_body_says_so_and_a_get_says_nothing(client):
    seen = []
    async with serving(always(OK, seen)) as server:
        await client.send(Request(url=server.url()))
        await client.send(Request(method="GET", url=server.url()))
    assert seen[0][2]["content-length"] == "0"
    assert "content-length" not in seen[1][2]


async def test_framing_headers_of_the_caller_are_left_out_and_his_agent_is_kept(client):
    seen = []
    async with serving(always(OK, seen)) as server:
        theirs = {"Content-Length": "9", "transfer-encoding": "chunked", "Host": "evil", "User-Agent": "me"}
        await client.send(Request(url=server.url(), headers=theirs, body=b"x"))
    assert seen[0][2]["host"] == f"127.0.0.1:{server.port}"
    assert seen[0][2]["content-length"] == "1"
    assert seen[0][2]["user-agent"] == "me"
    assert "transfer-encoding" not in seen[0][2]


async def test_userinfo_is_basic_authorization_unless_given(client):
    seen = []
    async with serving(always(OK, seen)) as server:
        await client.send(Request(url=server.url(host="u:p@127.0.0.1")))
        await client.send(
            Request(url=server.url(host="u:p@127.0.0.1"), headers={"Authorization": "Bearer x"})
        )
    assert [headers["authorization"] for _, _, headers, _ in seen] == ["Basic dTpw", "Bearer x"]


async def test_a_large_body_arrives_whole(client):
    seen = []
    body = bytes(range(256)) * 20_000
    async with serving(always(OK, seen)) as server:
        await client.send(Request(url=server.url(), body=body))
    assert seen[0][3] == body


@given(
    name=st.text(max_size=12),
    value=st.text(max_size=12),
    path=st.text(max_size=12),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_nothing_breaks_out_of_its_line(name, value, path):
    async def run() -> None:
        client = HttpClient(Guard(LOOPBACK))
        seen = []
        async with serving(always(OK, seen)) as server:
            try:
                await client.send(Request(url=server.url("/" + path), headers={name: value}, body=b"1234"))
            except EgressError as error:
                assert error.code in ("INVALID_URL", "INVALID_HEADER")
                assert not error.retryable
                assert seen == []
            else:
                ((_, line, headers, body),) = seen
                assert body == b"1234" and line.startswith("POST /") and line.endswith(" HTTP/1.1")
                ours = {"host", "user-agent", "accept", "content-length"}
                assert headers.keys() - ours <= {name.lower()}
            finally:
                await client.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    "headers",
    [
        {"a": "b\r\nc: d"},
        {"a": "b\n"},
        {"a": "b\0"},
        {"a": "é"},
        {"a\r\nb": "c"},
        {"a:": "c"},
        {"": "c"},
        {"a b": "c"},
        {"é": "c"},
    ],
)
async def test_header_injection_is_refused(client, headers):
    await fails(client, "INVALID_HEADER", "http://127.0.0.1:9/", headers=headers)


async def test_an_unknown_method_is_refused(client):
    await fails(client, "INVALID_HEADER", "http://127.0.0.1:9/", method="POST / HTTP/1.1\r\nx: y\r\n\r\n")


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, b""),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", 500, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + OK, 200, b"ok"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"1\r\no\r\n1;x=y\r\nk\r\n0\r\nRetry-After: 9\r\n\r\n",
            200,
            b"ok",
        ),
    ],
)
@pytest.mark.parametrize("pieces", [1, 1000])
async def test_reads_answers_however_they_are_cut(client, answer, status, body, pieces):
    async def handle(peer: Peer) -> None:
        while True:
            await peer.request()
            size = max(1, len(answer) // pieces)
            for start in range(0, len(answer), size):
                await peer.say(answer[start : start + size])
                await asyncio.sleep(0)

    async with serving(handle) as server:
        for _ in range(2):
            response = await client.send(Request(url=server.url()))
            assert (response.status, response.body) == (status, body)
            assert "retry-after" not in response.headers and "link" not in response.headers
        assert server.connections == 1


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: x-odd\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", b"ok"),
    ],
)
async def test_answers_that_end_the_connection(client, answer, body):
    async with serving(once(answer)) as server:
        for _ in range(2):
            assert (await client.send(Request(url=server.url()))).body == body
        assert server.connections == 2


async def test_head_has_no_body_whatever_its_length_says(client):
    async with serving(once(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")) as server:
        response = await client.send(Request(method="HEAD", url=server.url()))
        assert (response.status, response.body) == (200, b"")


async def test_repeated_headers_are_joined(client):
    async with serving(once(b"HTTP/1.1 200 OK\r\nX-a: 1\r\nx-A: 2\r\nContent-Length: 0\r\n\r\n")) as server:
        assert (await client.send(Request(url=server.url()))).headers["x-a"] == "1, 2"


@pytest.mark.parametrize("framing", ["length", "chunked", "end"])
async def test_a_huge_body_is_cut_at_the_cap_and_the_exchange_stands(framing):
    async def handle(peer: Peer) -> None:
        await peer.request()
        head = {
            "length": b"Content-Length: 10000000000\r\n",
            "chunked": b"Transfer-Encoding: chunked\r\n",
            "end": b"",
        }
        await peer.say(b"HTTP/1.1 200 OK\r\n" + head[framing] + b"\r\n")
        block = b"x" * 60_000
        while True:
            await peer.say(b"%x\r\n%s\r\n" % (len(block), block) if framing == "chunked" else block)

    client = HttpClient(Guard(LOOPBACK), cap=100_000)
    async with serving(handle) as server:
        response = await client.send(Request(url=server.url()))
        assert (response.status, response.body) == (200, b"x" * 100_000)
    await client.close()


async def test_a_request_says_how_much_of_its_answer_it_keeps():
    async def handle(peer):
        while True:
            await peer.request()
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000)

    client = HttpClient(Guard(LOOPBACK), cap=1_000)
    async with serving(handle) as server:
        for keep, length in ((200_000, 100_000), (None, 1_000), (100_000, 100_000), (10, 10), (None, 1_000)):
            response = await client.send(Request(url=server.url(), keep=keep))
            assert response.body == b"x" * length
        assert server.connections == 3  # an answer that was cut costs its connection
    await client.close()


async def test_a_body_of_exactly_the_cap_keeps_the_connection():
    client = HttpClient(Guard(LOOPBACK), cap=2)
    async with serving(always(OK)) as server:
        for _ in range(3):
            assert (await client.send(Request(url=server.url()))).body == b"ok"
        assert server.connections == 1
    await client.close()


async def test_compressed_answers_are_read_up_to_the_cap(client):
    bomb = gzip.compress(b"\0" * 20_000_000)
    assert len(bomb) < 64 * 1024
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    async with serving(once(head + bomb)) as server:
        assert (await client.send(Request(url=server.url()))).body == b"\0" * 64 * 1024


async def test_an_early_answer_to_an_unread_body_counts(client):
    async def handle(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.say(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await hang(peer)

    async with serving(handle) as server:
        for _ in range(2):
            response = await client.send(Request(url=server.url(), body=b"x" * 30_000_000))
            assert response.status == 413
        assert server.connections == 2, "a connection with a half-sent request was used again"
