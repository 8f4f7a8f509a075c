"""`onward sink`: an HTTP endpoint that records what it gets, and misbehaves on request.

Every path answers alike but two: `GET /_stats` tells what was seen, and `POST /_control` with a JSON
object of `Behaviour` fields changes the behaviour while it runs (null sets a field back).

A request is recorded before it is answered, with the status that is about to be sent. So whatever a
client took for delivered is in the file, also when this process is killed the moment after; a request
that never gets an answer (hung, reset, client gone) is recorded with `"status": null`.
"""

import asyncio
import contextlib
import gzip
import os
import random
import signal
import socket
import time
import zlib
from collections import Counter, deque
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

import httptools
import msgspec
import uvloop

MAX_BODY = 64 << 20
"""Bytes of a request body; beyond it the connection is closed."""


class Behaviour(msgspec.Struct, forbid_unknown_fields=True):
    """How requests are answered; shares are probabilities between 0 and 1 (`true` is 1)."""

    fail_rate: float | None = None
    """Share of requests answered with `status`; None for none, or all once a `status` is set."""
    status: int | None = None
    """The status of the requests that `fail_rate` picks; None is 500. The others get 200."""
    latency: float = 0.0
    """Seconds before an answer."""
    retry_after: float | None = None
    """Seconds in the Retry-After header of failures."""
    hang: float | bool = 0.0
    """Share of requests that never get an answer."""
    reset: float | bool = 0.0
    """Share of requests whose connection is reset instead."""

    def check(self) -> None:
        """Raises ValueError, naming the field, for values that make no sense."""
        for name in ("fail_rate", "hang", "reset"):
            if not 0 <= (getattr(self, name) or 0) <= 1:
                raise ValueError(f"{name} must be between 0 and 1")
        if self.status is not None and not 200 <= self.status <= 599:
            raise ValueError("status must be between 200 and 599")
        if self.latency < 0 or (self.retry_after or 0) < 0:
            raise ValueError("latency and retry_after must not be negative")

    def choose(self) -> int:
        """The status of the next answer."""
        share = self.fail_rate if self.fail_rate is not None else float(self.status is not None)
        return (self.status or 500) if share and random.random() < share else 200  # noqa: S311


def changed(behaviour: Behaviour, body: bytes) -> Behaviour:
    """`behaviour` with the fields of the JSON object `body` replaced; raises ValueError."""
    changes = msgspec.json.decode(body or b"{}", type=dict[str, Any])
    defaults = msgspec.structs.asdict(Behaviour())
    merged = msgspec.structs.asdict(behaviour) | {
        name: defaults.get(name) if value is None else value for name, value in changes.items()
    }
    result = msgspec.convert(merged, Behaviour)
    result.check()
    return result


class Entry(msgspec.Struct):
    """One line of `--out`."""

    time: float
    """Arrival of the last byte, seconds since the epoch."""
    method: str
    path: str
    """With the query."""
    headers: dict[str, str]
    """Names in lower case; the last of repeated ones."""
    body: str
    """As text, after gzip or deflate; bytes that are not UTF-8 become U+FFFD."""
    status: int | None


_encoder = msgspec.json.Encoder()
_items = msgspec.json.Decoder(list[msgspec.Raw])


class Sink:
    """What all connections share: the behaviour, the counts, the file.

    `body`: the JSON of successful answers, for clients that read them.
    """

    def __init__(self, behaviour: Behaviour, out: Path | None = None, body: str = '{"ok":true}') -> None:
        """Raises ValueError for a behaviour or a body that makes no sense."""
        behaviour.check()
        self.behaviour = behaviour
        self.body = _json(body)
        self.statuses: Counter[str] = Counter()
        self.items = 0
        self.bytes = 0
        self.connections: set[Connection] = set()
        self.file = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644) if out else None
        self._answers: dict[tuple[int, float | None], bytes] = {}

    def note(self, exchange: "Exchange", status: int | None) -> None:
        self.statuses[str(status)] += 1
        self.bytes += len(exchange.body)
        if status is not None and status < 300:
            self.items += _count(exchange.body)
        if self.file is not None:
            text = _decoded(exchange.body, exchange.headers.get("content-encoding", ""))
            path = exchange.path.decode("latin-1")
            entry = Entry(exchange.time, exchange.method, path, exchange.headers, text, status)
            line = _encoder.encode(entry) + b"\n"
            while line:
                line = line[os.write(self.file, line) :]

    def stats(self) -> dict[str, Any]:
        return {
            "requests": self.statuses.total(),
            "statuses": dict(self.statuses),
            "items": self.items,
            "bytes": self.bytes,
            "connections": len(self.connections),
            "waiting": sum(len(connection.waiting) for connection in self.connections),
        }

    def answer(self, status: int) -> bytes:
        after = self.behaviour.retry_after if status >= 400 else None
        key = (status, after)
        if key not in self._answers:
            headers = "" if after is None else f"retry-after: {after:g}\r\n"
            body = b"" if status == 204 else self.body if status < 400 else b'{"ok":false}'
            self._answers[key] = response(status, body, headers)
        return self._answers[key]


class Exchange:
    """One request, complete, and what is to become of it."""

    __slots__ = ("body", "headers", "keep_alive", "method", "path", "time")

    def __init__(self, method: str, path: bytes, headers: dict[str, str], body: bytes, keep: bool) -> None:
        self.time = time.time()
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.keep_alive = keep


class Connection(asyncio.Protocol):
    """One client connection; pipelined requests are answered in their order, one after the other."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.waiting: deque[Exchange] = deque()
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.parser = httptools.HttpRequestParser(self)
        self.sink.connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.sink.connections.discard(self)
        if self.timer:
            self.timer.cancel()
        while self.waiting:
            self.sink.note(self.waiting.popleft(), None)

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.transport.close()
        except httptools.HttpParserError as error:
            self.transport.write(response(400, b'{"error":%s}' % _encoder.encode(str(error)), close=True))
            self.transport.close()

    def on_message_begin(self) -> None:
        self.path = b""
        self.headers: dict[str, str] = {}
        self.body: list[bytes] = []
        self.size = 0

    def on_url(self, url: bytes) -> None:
        self.path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self.headers.get("expect", "").lower() == "100-continue":
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > MAX_BODY:
            self.transport.write(response(413, b"", close=True))
            self.transport.close()
        else:
            self.body.append(data)

    def on_message_complete(self) -> None:
        method = self.parser.get_method().decode()
        keep = self.parser.should_keep_alive()
        self.waiting.append(Exchange(method, self.path, self.headers, b"".join(self.body), keep))
        if len(self.waiting) == 1:
            self.begin()

    def begin(self) -> None:
        """Start on the first waiting request; the rest follows when it is answered."""
        exchange = self.waiting[0]
        if exchange.path.startswith(b"/_"):
            self.waiting.popleft()
            self.finish(self.administer(exchange), exchange.keep_alive)
            return
        behaviour = self.sink.behaviour
        if behaviour.reset and random.random() < behaviour.reset:  # noqa: S311
            self.reset()
        elif behaviour.hang and random.random() < behaviour.hang:  # noqa: S311
            pass
        elif behaviour.latency:
            self.timer = asyncio.get_running_loop().call_later(behaviour.latency, self.reply)
        else:
            self.reply()

    def reply(self) -> None:
        exchange = self.waiting.popleft()
        status = self.sink.behaviour.choose()
        self.sink.note(exchange, status)
        self.finish(self.sink.answer(status), exchange.keep_alive)

    def finish(self, answer: bytes, keep_alive: bool) -> None:
        self.transport.write(answer)
        if not keep_alive:
            self.transport.close()
        elif self.waiting:
            self.begin()

    def reset(self) -> None:
        """Close with a TCP reset: lingering for 0 seconds drops what is unsent."""
        connected = self.transport.get_extra_info("socket")
        linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.transport.abort()

    def administer(self, exchange: Exchange) -> bytes:
        match exchange.method, exchange.path:
            case "GET", b"/_stats":
                return response(200, _encoder.encode(self.sink.stats()))
            case "POST", b"/_control":
                try:
                    self.sink.behaviour = changed(self.sink.behaviour, exchange.body)
                except ValueError as error:  # msgspec's validation errors are ValueErrors
                    return response(400, _encoder.encode({"error": str(error)}))
                return response(200, _encoder.encode(self.sink.behaviour))
        return response(404, b'{"error":"the sink knows GET /_stats and POST /_control"}')


def response(status: int, body: bytes, headers: str = "", close: bool = False) -> bytes:
    closing = "connection: close\r\n" if close else ""
    kind = "content-type: application/json\r\n" if body else ""
    length = "" if status == 204 else f"content-length: {len(body)}\r\n"
    head = f"HTTP/1.1 {status} {_reason(status)}\r\n{kind}{length}{headers}{closing}\r\n"
    return head.encode() + body


def _json(text: str) -> bytes:
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise ValueError(f"the body of answers must be JSON: {error}") from None
    return text.encode()


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Status"


def _decoded(body: bytes, encoding: str) -> str:
    with contextlib.suppress(OSError, EOFError, zlib.error):  # a body that lies is shown as it came
        if encoding == "gzip":
            body = gzip.decompress(body)
        elif encoding == "deflate":
            body = zlib.decompress(body)
    return body.decode("utf-8", "replace")


def _count(body: bytes) -> int:
    """Payloads in a body: the items of a JSON array, and 1 for anything else."""
    if body[:1] != b"[":
        return 1
    try:
        return len(_items.decode(body))
    except msgspec.DecodeError:
        return 1


async def serve(sink: Sink, host: str, port: int, started: Callable[[str, int], None]) -> None:
    """Serve until SIGTERM or SIGINT; `started` is called with the address once it is bound."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(sink), host, port, backlog=1024)
    bound = server.sockets[0].getsockname()
    started(bound[0], bound[1])
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    server.close()
    for connection in list(sink.connections):
        connection.transport.abort()


def run(sink: Sink, host: str, port: int, started: Callable[[str, int], None]) -> None:
    """Blocking `serve`; raises OSError if the address can't be bound."""
    uvloop.run(serve(sink, host, port, started))
