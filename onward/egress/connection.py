"""One HTTP/1.1 connection, one exchange at a time, parsed by httptools (llhttp in its strict mode).

Invariants:
- A connection is in one of three states: idle (no exchange, nothing unread), busy (exactly one exchange
  and its future), closed (for good). Only an idle one may be sent on.
- It becomes idle again only if nothing can be left over: the request is written out, the answer came to its
  end by its own framing, and the server did not ask to close. Anything else closes it, so an answer can
  never be taken for the next request's. Bytes that arrive while idle close it as well.
- The future is settled exactly once, with a `Response` or an `EgressError`.

If the process dies here, the exchange may or may not have had its effect; the engine repeats it.
"""

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

from onward.egress.http import EgressError, Response

MAX_HEAD = 64 * 1024
"""Bytes of status line and headers (and of 1xx answers before them) that are read."""

FRAMING = 8
"""A body of N bytes may take this many times N on the wire: a chunk of one byte takes six."""

_NAMES = {
    name.title().encode(): name
    for name in (
        "date",
        "server",
        "content-type",
        "content-length",
        "connection",
        "keep-alive",
        "transfer-encoding",
        "retry-after",
        "location",
    )
}


class ClosedEarlyError(EgressError):
    """The connection ended before the first byte of an answer."""


class Connection(asyncio.Protocol):
    """`exchange` is the only way in. `cap`: bytes of a body that are kept; `on_lost` is called at its end."""

    __slots__ = (
        "_body",
        "_cap",
        "_done",
        "_future",
        "_head_done",
        "_head_only",
        "_headers",
        "_keep_alive",
        "_limit",
        "_on_lost",
        "_parser",
        "_received",
        "_reusable",
        "_room",
        "_status",
        "_transport",
        "_until_eof",
        "closed",
        "deadline",
        "expires",
        "keep_alive_hint",
        "opened_at",
        "used",
    )

    def __init__(self, cap: int, on_lost: Callable[["Connection"], None]) -> None:
        self._cap = cap
        self._on_lost = on_lost
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._future: asyncio.Future[Response] | None = None
        self._reset(head_only=False, keep=None)
        self.closed = False
        self.used = False
        """Whether an exchange was completed on it before."""
        self.deadline = 0.0
        """When the exchange under way is given up, on the loop's clock."""
        self.expires = 0.0
        """When an idle connection is no longer worth keeping."""
        self.opened_at = 0.0
        self.keep_alive_hint: float | None = None
        """Seconds that the server said it keeps an idle connection (`Keep-Alive: timeout=`)."""

    # -- the exchange ------------------------------------------------------------------------------

    def exchange(
        self,
        head: bytes,
        body: bytes,
        *,
        head_only: bool,
        loop: asyncio.AbstractEventLoop,
        keep: int | None = None,
    ) -> "asyncio.Future[Response]":
        """Writes a request; the future holds the answer. `head_only`: it was HEAD, no body follows.
        `keep`: bytes of the body that are kept, if not the cap.
        """
        transport = self._transport
        if transport is None or self.closed or self._future is not None:
            raise RuntimeError("exchange on a connection that is not idle")
        self._reset(head_only, keep)
        self._future = future = loop.create_future()
        if len(body) < 65_536:
            transport.write(head + body)
        else:
            transport.writelines((head, body))
        return future

    def _reset(self, head_only: bool, keep: int | None) -> None:
        self._head_only = head_only
        self._status = 0
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._room = self._limit = self._cap if keep is None else keep
        self._received = 0
        self._head_done = False
        self._keep_alive = False
        self._until_eof = False
        self._done = False
        self._reusable = False

    def fail(self, error: EgressError) -> None:
        """Closes the connection; an exchange under way ends with `error`."""
        self.abort()
        future, self._future = self._future, None
        if future is not None and not future.done():
            future.set_exception(error)

    def abort(self) -> None:
        """Closes at once, without a word."""
        self.closed = True
        if self._transport is not None:
            self._transport.abort()

    @property
    def busy(self) -> bool:
        return self._future is not None

    # -- what the transport calls -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        parser = self._parser
        if self.closed or parser is None:
            return
        if self._future is None:
            self.abort()
            return
        self._received += len(data)
        try:
            parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._reusable = False
            if not self._done:
                self.fail(EgressError("ECONNABORTED", f"the answer is not HTTP: {error}"))
                return
        if self._done:
            self._settle()
        elif self._received > MAX_HEAD:
            if not self._head_done:
                self.fail(EgressError("ECONNABORTED", f"the answer's headers exceed {MAX_HEAD} bytes"))
            elif self._received > MAX_HEAD + FRAMING * self._limit:
                self.fail(EgressError("ECONNABORTED", "the answer is framing without an end"))

    def eof_received(self) -> bool:
        self._end(None)
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._end(error)
        self._transport = None
        self._parser = None  # they hold each other, and processes run without the cyclic collector
        self._on_lost(self)

    def _end(self, error: Exception | None) -> None:
        self.closed = True
        if self._future is None:
            return
        if self._until_eof and error is None:
            self._settle()
        elif self._received == 0:
            self.fail(ClosedEarlyError("ECONNRESET", f"the server closed the connection{_because(error)}"))
        else:
            self.fail(EgressError("ECONNRESET", f"the server closed within its answer{_because(error)}"))

    def _settle(self) -> None:
        """The answer is complete, or as much of it as we take: go idle or close."""
        future, self._future = self._future, None
        transport = self._transport
        if self._reusable and transport is not None and not transport.get_write_buffer_size():
            self.used = True
        else:
            self.abort()
        if future is not None and not future.done():
            body = self._body
            future.set_result(
                Response(
                    status=self._status,
                    headers=self._headers,
                    body=body[0] if len(body) == 1 else b"".join(body),
                )
            )

    # -- what the parser calls ----------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._reusable = False  # if one is done already, this is a second answer to one request

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head_done:  # a trailer
            return
        key = _NAMES.get(name) or name.decode("latin-1").lower()
        headers = self._headers
        text = value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text

    def on_headers_complete(self) -> None:
        parser = self._parser
        if self._head_done or parser is None:
            return
        status = parser.get_status_code()
        if status < 200:
            self._headers = {}
            return
        self._status = status
        self._head_done = True
        self._keep_alive = parser.should_keep_alive()
        headers = self._headers
        if self._head_only:
            self._done = True
        elif "content-length" not in headers and status not in (204, 304):
            coding = headers.get("transfer-encoding", "").rpartition(",")[2]
            self._until_eof = coding.strip().lower() != "chunked"
        if "keep-alive" in headers:
            self.keep_alive_hint = _keep_alive_timeout(headers["keep-alive"])

    def on_body(self, data: bytes) -> None:
        if self._done:
            return
        if len(data) > self._room:
            data = data[: self._room]
            self._done = True
        self._room -= len(data)
        self._body.append(data)

    def on_message_complete(self) -> None:
        if self._head_done and not self._done:
            self._done = True
            self._reusable = self._keep_alive


def _because(error: Exception | None) -> str:
    return f": {error}" if error is not None and str(error) else ""


def _keep_alive_timeout(value: str) -> float | None:
    for part in value.split(","):
        name, _, number = part.strip().partition("=")
        if name.lower() == "timeout" and number.isascii() and number.isdigit():
            return float(number[:9])
    return None
