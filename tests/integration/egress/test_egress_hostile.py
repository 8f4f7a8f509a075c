"""Answers that are none, connections that break, and what stays behind."""

import asyncio
import gc
from contextlib import suppress

import pytest
import uvloop
from integration.egress.peers import LOOPBACK, OK, Peer, always, fails, hang, once, serving

from onward.egress.client import HttpClient
from onward.egress.guard import Guard
from onward.egress.http import EgressError, Request


@pytest.mark.parametrize(
    "answer",
    [
        b"garbage\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nraw",
        b"HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 200_000,
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 40_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1;" + b"x" * 1_000_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx: " + b"x" * 1_000_000,
    ],
)
async def test_an_answer_that_is_not_http_is_no_answer(client, answer):
    async def handle(peer: Peer) -> None:
        await peer.request()
        await peer.say(answer)
        await hang(peer)

    async with serving(handle) as server:
        error = await fails(client, "ECONNABORTED", server.url())
        assert error.retryable


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nConte",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ],
)
@pytest.mark.parametrize("reset", [False, True])
async def test_a_connection_that_ends_within_the_answer_is_econnreset(client, answer, reset):
    async with serving(once(answer, reset=reset)) as server:
        assert (await fails(client, "ECONNRESET", server.url())).retryable
        assert server.connections == 1, "a first use is not repeated behind the engine's back"


async def test_a_second_answer_never_becomes_the_next_requests(client):
    async with serving(always(OK + b"HTTP/1.1 500 Evil\r\nContent-Length: 0\r\n\r\n")) as server:
        for _ in range(3):
            assert (await client.send(Request(url=server.url()))).status == 200
        assert server.connections == 3


async def test_bytes_on_an_idle_connection_close_it(client):
    spoken = asyncio.Event()

    async def handle(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.say(OK)
            if peer.number == 1:
                await spoken.wait()
                await peer.say(b"HTTP/1.1 500 Evil\r\nContent-Length: 0\r\n\r\n")
                await peer.reader.read()
                return

    async with serving(handle) as server:
        await client.send(Request(url=server.url()))
        ((pool,),) = [client._pools.values()]
        spoken.set()
        while pool.connections:
            await asyncio.sleep(0.005)
        for _ in range(5):
            assert (await client.send(Request(url=server.url()))).status == 200


@pytest.mark.parametrize("reset", [False, True])
async def test_a_kept_connection_that_closed_is_replaced_once(client, reset):
    """The server answers one request a connection, and closes only when the second comes."""
    bodies = []

    async def handle(peer: Peer) -> None:
        await peer.request()
        await peer.say(OK)
        bodies.append((await peer.request())[2])
        if reset:
            peer.reset()

    async with serving(handle) as server:
        for number in range(3):
            response = await client.send(Request(url=server.url(), body=b"%d" % number))
            assert response.status == 200
        assert server.connections == 3
        assert bodies == [b"1", b"2"]


async def test_many_closed_connections_cost_one_repeat(client):
    """Eight connections are kept and all of them are stale: the repeat goes out on a new one at once."""
    gate = asyncio.Event()
    arrived = []

    async def handle(peer: Peer) -> None:
        await peer.request()
        arrived.append(peer.number)
        if len(arrived) == 8:
            gate.set()
        await gate.wait()
        await peer.say(OK)
        if peer.number <= 8:
            arrived.append((await peer.request())[2])

    async with serving(handle) as server:
        await asyncio.gather(*[client.send(Request(url=server.url())) for _ in range(8)])
        assert server.connections == 8
        del arrived[:]
        assert (await client.send(Request(url=server.url(), body=b"again"))).status == 200
        assert arrived == [b"again", 9]


async def cycles_left_behind() -> dict[str, int]:
    """Objects that only the cyclic collector could free, by kind of exchange, after 100 of each."""

    async def handle(peer: Peer) -> None:
        line, _, _ = await peer.request()
        if "/close" in line:
            await peer.say(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
        elif "/half" in line:
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok")

    client = HttpClient(Guard(LOOPBACK))
    found = {}
    async with serving(handle) as server:
        urls = [server.url(path) for path in ("/close", "/half", "/none")]
        for url in [*urls, "http://127.0.0.1:1/", "http://10.0.0.1/", "http://x\ty/"]:
            gc.collect()
            for _ in range(100):
                with suppress(EgressError):
                    await client.send(Request(url=url))
            while client._pools:
                await asyncio.sleep(0.01)
            found[url] = gc.collect()
    await client.close()
    return found


def test_exchanges_leave_no_cycles_behind():
    """Delivery runs on uvloop without the cyclic collector: what is dropped must go by itself."""
    gc.disable()
    try:
        found = uvloop.run(cycles_left_behind())
    finally:
        gc.enable()
    assert all(count < 100 for count in found.values()), found
