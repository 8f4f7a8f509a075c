"""A server that stands in for a tool: it speaks HTTP on loopback, and judges what it is asked.

A subclass answers `reply`; what breaks the tool's documentation raises `Violation`, is answered 400, and
fails the test at its end unless the test meant it (`expected`).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
from integration.egress.peers import LOOPBACK, Peer, serving

from onward.destinations.definition import Call
from onward.egress.client import HttpClient
from onward.egress.guard import Guard
from onward.egress.override import Override


class Violation(Exception):
    pass


def demand(condition: Any, message: str) -> None:
    if not condition:
        raise Violation(message)


class Asked:
    """A request."""

    def __init__(self, line: str, headers: dict[str, str], body: bytes) -> None:
        self.method, target, _ = line.split(" ")
        parts = urlsplit(target)
        self.path = parts.path
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        demand(self.headers.get("content-type") == "application/json", f"{self.path}: not sent as JSON")
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise Violation(f"{self.path}: the body is not JSON") from None

    @property
    def form(self) -> dict[str, str]:
        demand(
            self.headers.get("content-type") == "application/x-www-form-urlencoded",
            f"{self.path}: not sent as a form",
        )
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True))


Reply = tuple[int, Any] | tuple[int, Any, dict[str, str]]


class Stub:
    """`queued` answers come first, each for the first request that `method path` fits; then `reply`."""

    hosts: tuple[str, ...]

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.queued: list[tuple[str, Reply]] = []
        self.violations: list[str] = []
        self.expected = False

    def reply(self, asked: Asked) -> Reply:
        raise NotImplementedError

    def answer(self, where: str, status: int, body: Any = None, **headers: str) -> None:
        """What the next request to `where` gets: the end of `METHOD path`."""
        self.queued.append((where, (status, body, {k.replace("_", "-"): v for k, v in headers.items()})))

    def paths(self) -> list[str]:
        return [f"{asked.method} {asked.path}" for asked in self.asked]

    async def serve(self, peer: Peer) -> None:
        while True:
            line, headers, body = await peer.request()
            asked = Asked(line, headers, body)
            self.asked.append(asked)
            reply = self._next(f"{asked.method} {asked.path}")
            if reply is None:
                try:
                    reply = self.reply(asked)
                except Violation as error:
                    self.violations.append(str(error))
                    reply = (400, {"code": 1, "message": str(error)})
            await peer.say(_written(*reply))

    def _next(self, where: str) -> Reply | None:
        for at, (end, reply) in enumerate(self.queued):
            if where.endswith(end):
                del self.queued[at]
                return reply
        return None


def _written(status: int, body: Any, headers: dict[str, str] | None = None) -> bytes:
    encoded = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(encoded)}", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + encoded


@asynccontextmanager
async def calling(stub: Stub, settings: dict[str, Any]) -> AsyncIterator[Call]:
    """A call whose requests to the stub's hosts reach the stub, through the real client."""
    async with serving(stub.serve) as server:
        rules = [f"{host}=http://127.0.0.1:{server.port}" for host in stub.hosts]
        client = HttpClient(Guard(LOOPBACK), override=Override(rules))
        try:
            yield Call(
                settings=settings,
                http=client,
                timeout=5.0,
                workspace_id="ws",
                source_id="src",
                destination_id="dst",
            )
        finally:
            await client.close()
            await asyncio.sleep(0)
    assert stub.expected or not stub.violations, stub.violations
