"""Reading a request's body: bounded in bytes and in time, whatever the client does."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from onward.tracking.inflate import GZIP_MAGIC, TooLarge, inflate
from onward.tracking.limits import DRAIN_BYTES, GZIP_SLACK

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Disconnected(Exception):
    """The client went away before its request was complete."""


class Unread(TooLarge):
    """More bytes than the limit, and the client is not done sending them: `drain` before the answer."""


class BadEncoding(Exception):
    """A Content-Encoding that is not understood."""


async def read(receive: Receive, length: bytes | None, encoding: bytes | None, limit: int) -> bytes:
    """The body, inflated, at most `limit` bytes.

    Raises `TooLarge` (`Unread` if not all of it was read, as when Content-Length says enough), `BadGzip`,
    `BadEncoding` and `Disconnected`. gzip is recognised without its header too: `sendBeacon` can't set one.
    """
    if encoding is not None:
        encoding = encoding.strip().lower()
        if encoding not in (b"", b"identity", b"gzip", b"x-gzip", b"deflate"):
            raise BadEncoding
    allowed = limit + GZIP_SLACK
    announced = int(length) if length is not None and length.isdigit() and len(length) < 20 else None
    if announced is not None and announced > allowed:
        raise Unread
    message = await receive()
    if message["type"] != "http.request":
        raise Disconnected
    body: bytes = message.get("body", b"")
    if len(body) != announced and message.get("more_body"):
        body = await _rest(receive, body, allowed)
    if encoding in (b"gzip", b"x-gzip", b"deflate") or body[:2] == GZIP_MAGIC:
        return inflate(body, limit)
    if len(body) > limit:
        raise TooLarge
    return body


async def _rest(receive: Receive, body: bytes, allowed: int) -> bytes:
    chunks, size, more = [body], len(body), True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise Disconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        more = message.get("more_body", False)
        if size > allowed:
            raise Unread if more else TooLarge
        chunks.append(chunk)
    return b"".join(chunks)


async def drain(receive: Receive) -> None:
    """Read and forget what the client still sends, within reason, so that it gets to see its answer.

    A server that closes with unread data in its socket makes the client's kernel throw the answer away.
    Not to be called when all was read: there would be nothing to wait for but the client's end.
    """
    size = 0
    while size <= DRAIN_BYTES:
        message = await receive()
        size += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body"):
            return
