"""Timeouts, and turns at a limited number of connections."""

import asyncio
import socket

import pytest
from integration.egress.peers import LOOPBACK, OK, Peer, always, fails, hang, serving

from onward.egress.client import HttpClient
from onward.egress.guard import Guard
from onward.egress.http import EgressError, Request


async def slow_head(peer: Peer) -> None:
    await peer.request()
    for byte in b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 1000:
        await peer.say(bytes([byte]))
        await asyncio.sleep(0.01)


async def slow_body(peer: Peer) -> None:
    await peer.request()
    await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        await peer.say(b"x")
        await asyncio.sleep(0.01)


async def stalled_reader(peer: Peer) -> None:
    peer.writer.transport.pause_reading()
    await hang(peer)


@pytest.mark.parametrize("handler", [hang, slow_head, slow_body, stalled_reader])
async def test_the_timeout_covers_the_whole_exchange(client, handler):
    loop = asyncio.get_running_loop()
    async with serving(handler) as server:
        started = loop.time()
        error = await fails(client, "ETIMEDOUT", server.url(), timeout=0.3, body=b"x" * 20_000_000)
        assert error.retryable
        assert 0.25 < loop.time() - started < 5


async def test_the_timeout_covers_tls(client):
    async with serving(hang) as server:
        await fails(client, "ETIMEDOUT", server.url(scheme="https"), timeout=0.2)


async def test_the_timeout_covers_the_name_server():
    async def never(host: str):
        await asyncio.Event().wait()

    client = HttpClient(Guard(LOOPBACK), lookup=never)
    await fails(client, "ETIMEDOUT", "http://slow.example/", timeout=0.2)
    await client.close()


async def test_the_timeout_covers_the_wait_for_a_connection():
    client = HttpClient(Guard(LOOPBACK), per_origin=1)
    async with serving(hang) as server:
        first = asyncio.create_task(client.send(Request(url=server.url(), timeout=30)))
        while not server.connections:
            await asyncio.sleep(0.01)
        await fails(client, "ETIMEDOUT", server.url(), timeout=0.2)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
    await client.close()


async def test_no_more_connections_than_allowed_and_everyone_gets_a_turn():
    client = HttpClient(Guard(LOOPBACK), per_origin=3)
    async with serving(always(OK)) as server:
        answers = await asyncio.gather(*[client.send(Request(url=server.url())) for _ in range(60)])
        assert [answer.status for answer in answers] == [200] * 60
        assert server.connections == 3
    await client.close()


async def test_turns_are_passed_on_when_connections_are_refused_closed_or_cancelled():
    """One connection, taken by exchanges that end in every way there is; nobody is left waiting."""

    async def handle(peer: Peer) -> None:
        while True:
            line, _, _ = await peer.request()
            if "/ok" in line:
                await peer.say(OK)
            elif "/close" in line:
                return
            elif "/hang" in line:
                await hang(peer)

    client = HttpClient(Guard(LOOPBACK), per_origin=1)
    async with serving(handle) as server:
        tasks = []
        for number in range(40):
            path = ("/ok", "/close", "/hang", "/ok")[number % 4]
            tasks.append(asyncio.create_task(client.send(Request(url=server.url(path), timeout=20))))
        cancelled = tasks[2::4]
        for task in cancelled:
            await asyncio.sleep(0.01)
            task.cancel()
        await asyncio.wait(tasks, timeout=20)
        assert all(task.done() for task in tasks)
        for number, task in enumerate(tasks):
            if number % 4 in (0, 3):
                assert task.result().status == 200
            elif number % 4 == 1:
                assert task.exception().code == "ECONNRESET"
    await client.close()


async def test_those_who_wait_hear_of_a_refused_connection_one_by_one():
    async def lookup(host: str):
        await asyncio.sleep(0.01)  # so that all of them wait for the first
        return [(socket.AF_INET, "127.0.0.1")]

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        url = f"http://refused.example:{sock.getsockname()[1]}/"
        client = HttpClient(Guard(LOOPBACK), per_origin=1, lookup=lookup)
        tasks = [asyncio.create_task(client.send(Request(url=url, timeout=20))) for _ in range(10)]
        await asyncio.wait(tasks, timeout=10)
        assert [task.exception().code for task in tasks if task.done()] == ["ECONNREFUSED"] * 10
    await client.close()


async def test_a_turn_that_comes_too_late_is_passed_on():
    """The one whose turn it is goes away in the very moment that it gets it."""
    release = asyncio.Event()

    async def handle(peer: Peer) -> None:
        while True:
            line, _, _ = await peer.request()
            if "/first" in line:
                await release.wait()
            await peer.say(OK)

    client = HttpClient(Guard(LOOPBACK), per_origin=1)
    async with serving(handle) as server:
        first, second, third = (
            asyncio.create_task(client.send(Request(url=server.url(path), timeout=20)))
            for path in ("/first", "/second", "/third")
        )
        (pool,) = await until(lambda: list(client._pools.values()))
        await until(lambda: len(pool._waiting) == 2)
        wake = pool._wake
        pool._wake = lambda: (wake(), second.cancel())
        release.set()
        done, _ = await asyncio.wait([first, third], timeout=10)
        assert {task.result().status for task in done} == {200} and len(done) == 2
        with pytest.raises(asyncio.CancelledError):
            await second
    await client.close()


async def until(condition):
    while not (found := condition()):
        await asyncio.sleep(0.005)
    return found


async def test_a_cancelled_exchange_gives_its_connection_up(client):
    async def handle(peer: Peer) -> None:
        while True:
            line, _, _ = await peer.request()
            if "/slow" in line:
                await asyncio.sleep(0.2)
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + line.encode()[6:10])

    async with serving(handle) as server:
        await client.send(Request(url=server.url("/warm")))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.send(Request(url=server.url("/slow"))), 0.05)
        for _ in range(10):
            assert (await client.send(Request(url=server.url("/fast")))).body == b"fast"
            await asyncio.sleep(0.03)


async def test_close_ends_what_is_under_way():
    client = HttpClient(Guard(LOOPBACK))
    async with serving(hang) as server:
        task = asyncio.create_task(client.send(Request(url=server.url())))
        while not server.connections:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)
        await client.close()
        with pytest.raises(EgressError) as caught:
            await task
        assert caught.value.code == "ECONNABORTED"


async def test_idle_connections_are_let_go_as_the_server_says(client):
    ended = asyncio.Event()

    async def handle(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1, max=5\r\nContent-Length: 0\r\n\r\n")
        assert await peer.reader.read() == b""
        ended.set()

    async with serving(handle) as server:
        await client.send(Request(url=server.url()))
        await asyncio.wait_for(ended.wait(), 5)
