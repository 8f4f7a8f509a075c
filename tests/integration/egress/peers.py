"""The other end of the HTTP client's connections: servers that behave, and servers that do not."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from onward.egress.client import HttpClient
from onward.egress.http import EgressError, Request

LOOPBACK = ["127.0.0.0/8"]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Handler = Callable[["Peer"], Awaitable[None]]


class Peer:
    """The server's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.reader, self.writer, self.number = reader, writer, number

    async def request(self) -> tuple[str, dict[str, str], bytes]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *rest = head[:-4].split("\r\n")
        headers = {name.lower(): value for name, value in (header.split(": ", 1) for header in rest)}
        return line, headers, await self.reader.readexactly(int(headers.get("content-length", 0)))

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.writer.transport.abort()


class Server:
    def __init__(self, port: int) -> None:
        self.port = port
        self.connections = 0
        self.requests: list[tuple[str, dict[str, str], bytes]] = []

    def url(self, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(0)
    tasks = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        server.connections += 1
        try:
            await handler(Peer(reader, writer, server.connections))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()

    listener = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def always(answer: bytes, seen: list | None = None) -> Handler:
    async def handle(peer: Peer) -> None:
        while True:
            request = await peer.request()
            if seen is not None:
                seen.append((peer.number, *request))
            await peer.say(answer)

    return handle


def once(answer: bytes, *, reset: bool = False) -> Handler:
    """Answers the first request and ends the connection."""

    async def handle(peer: Peer) -> None:
        await peer.request()
        await peer.say(answer)
        if reset:
            peer.reset()

    return handle


async def hang(peer: Peer) -> None:
    await asyncio.Event().wait()


async def fails(client: HttpClient, code: str, url: str, **more) -> EgressError:
    with pytest.raises(EgressError) as caught:
        await client.send(Request(url=url, **more))
    assert caught.value.code == code, caught.value.message
    return caught.value


def answering(*answers: list[str]):
    """A name server that gives each of `answers` in turn."""
    queue = list(answers)

    async def lookup(host: str):
        addresses = queue.pop(0) if len(queue) > 1 else queue[0]
        return [(socket.AF_INET6 if ":" in a else socket.AF_INET, a) for a in addresses]

    return lookup


def redirect(status: int, location: str) -> bytes:
    return f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
