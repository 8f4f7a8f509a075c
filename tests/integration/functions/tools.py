"""What the tests of functions share: the installed libraries, one-off runs, and servers that count."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from onward.egress.client import HttpClient
from onward.egress.guard import Guard
from onward.egress.http import Client
from onward.egress.masking import Masking
from onward.functions.process import Invocation, Limits, Runner
from onward.functions.sandbox import Confinement, libraries_folder

CONFINEMENT = Confinement(libraries=libraries_folder())
PATIENT = Limits(wall=30.0)
"""For what is to end by itself, however busy the machine is."""
LOOPBACK = ("127.0.0.0/8",)


def value(made: Invocation) -> Any:
    return msgspec.json.decode(made.value)


def http(allow: tuple[str, ...] = LOOPBACK) -> HttpClient:
    return HttpClient(Guard(allow))


@asynccontextmanager
async def runner(
    code: str, confinement: Confinement = CONFINEMENT, limits: Limits = PATIENT
) -> AsyncIterator[Runner]:
    made = await Runner.start(confinement, limits)
    try:
        await made.load(code)
        yield made
    finally:
        await made.close()


async def run(
    code: str,
    handler: str = "onTrack",
    payload: Any = None,
    settings: dict[str, Any] | None = None,
    *,
    client: Client | None = None,
    confinement: Confinement = CONFINEMENT,
    limits: Limits = PATIENT,
) -> Invocation:
    """One invocation in a process of its own."""
    own = client or http()
    try:
        async with runner(code, confinement, limits) as made:
            return await made.invoke(
                handler,
                {"type": "track"} if payload is None else payload,
                settings or {},
                own,
                Masking((settings or {}).values()),
            )
    finally:
        if client is None:
            await own.close()


class Endpoint:
    """An HTTP server that answers what `answer(method, path, headers, body)` says: status, headers, body."""

    def __init__(self, answer: Callable[..., tuple[int, dict[str, str], bytes]]) -> None:
        self._answer = answer
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line, *rest = head[:-4].split("\r\n")
                method, path, _ = line.split(" ")
                headers = {n.lower(): v for n, v in (each.split(": ", 1) for each in rest)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.seen.append((method, path, headers, body))
                status, own, said = self._answer(method, path, headers, body)
                lines = [f"HTTP/1.1 {status} X", *(f"{n}: {v}" for n, v in own.items())]
                lines += [f"content-length: {len(said)}", "", ""]
                writer.write("\r\n".join(lines).encode() + said)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def endpoint(
    answer: Callable[..., tuple[int, dict[str, str], bytes]] = lambda *_: (200, {}, b"{}"),
) -> AsyncIterator[Endpoint]:
    made = Endpoint(answer)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()


async def eventually(
    holds: Callable[[], bool] | Callable[[], Awaitable[bool]], patience: float = 20.0
) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(patience):
        while True:
            found = holds()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.01)
