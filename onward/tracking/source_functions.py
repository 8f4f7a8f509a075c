"""Source functions: requests of webhooks in, events of the source out (spec §10.9).

A request to `POST /v1/functions/{write key}` runs the function that the source is, in the sandbox. What it
sent goes through the front door as a client's batch would (`Tracking.hand_in`): validation, the rules of the
source, deduplication, the disk. Only then the request is answered 200.

Invariants
* 200 means that every event that the function sent, and that was accepted, is on disk. A request whose
  function failed has sent nothing.
* What may go better next time (RetryError, a timeout, too much to do) is answered 503 with Retry-After, so
  that the sender keeps the request and sends it again: there is no queue of requests here. What will not is
  answered 400, and kept as a discarded event of the source, with what went wrong.
* A function has no way to hold up others of this process: bodies, requests under way, time and memory are
  bounded, its code runs in other processes, and who gets one is the pool's to say.

What if the process dies here? The sender has no answer and sends again; a messageId of the function's own
making keeps such a repeat from counting twice.
"""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import orjson
import structlog

from onward import forwarded
from onward.egress import redact
from onward.egress.masking import Masking
from onward.functions.errors import Kind
from onward.functions.previews import PreviewRequests
from onward.functions.process import Invocation
from onward.functions.source import HANDLER, LARGEST, Request, Sent, sent
from onward.tracking import answers
from onward.tracking.answers import Answer
from onward.tracking.app import Send, Tracking
from onward.tracking.body import BadEncoding, Disconnected, Receive, Unread, drain, read
from onward.tracking.door_functions import DoorFunctions, key, masking
from onward.tracking.inflate import BadGzip, TooLarge
from onward.tracking.ledger import Ledger, Report, now_ms
from onward.tracking.ratelimit import RateLimit
from onward.workspace.snapshot import Source, SourceFunction

log = structlog.get_logger("onward.tracking")

PREFIX = "/v1/functions/"
PREVIEW = "preview/"
"""Before the id of a source function: what comes there is kept, to test the function with."""
UNDER_WAY = 128
"""Requests at once; more are answered 503."""
OF_ONE = 32
"""Of which so many may be for one source."""
READ_SECONDS = 30.0
AGAIN = 30
"""Seconds after which a request that failed may be sent again."""
SHOWN = 24 * 1024
"""Characters of a failed request's body that are kept."""
_WRITE_KEY = re.compile(rf"({PREFIX}.{{0,4}})[^/?]*")
NO_OBJECTS = "objects_not_supported"
"""Why what `Segment.set` was called with is discarded."""

NOT_HERE = answers.failure(404, "no source function has this address")
POST_ONLY = answers.answer(
    405,
    b'{"success": false, "message": "only POST is answered here"}',
    answers.JSON,
    (b"allow", b"POST"),
)
REQUEST_TOO_LARGE = answers.failure(413, f"the request is larger than {LARGEST // 1024} KB")
NOT_TEXT = answers.failure(400, "the body is not text in UTF-8")
BUSY = answers.later(503, 1, "too many requests for functions are under way; send this one again")
NOT_RUN = answers.later(503, 30, "the function can't run now; the log of the server says why")


class SourceFunctions:
    """ASGI application for what is below `PREFIX`."""

    def __init__(
        self,
        tracking: Tracking,
        ledger: Ledger,
        functions: DoorFunctions,
        previews: PreviewRequests,
        is_known: Callable[[str], bool],
    ) -> None:
        """`is_known` tells whether there is a source function of this id, and blocks."""
        self._previews = previews
        self._is_known = is_known
        self._tracking = tracking
        self._ledger = ledger
        self._functions = functions
        self._limit = RateLimit(time.monotonic)
        self._under_way: dict[str, int] = {}

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1003})
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        try:
            reply = await self._answer(scope, headers, receive)
        except Disconnected:
            return
        except Exception as error:  # a fault of ours: nothing was answered, so nothing was promised
            log.exception("source function failed", error=type(error).__name__)
            reply = answers.UNAVAILABLE
        self._tracking.answered[reply.status] += 1
        await send(answers.start(reply, None))
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else reply.body})

    async def _answer(
        self, scope: MutableMapping[str, Any], headers: dict[bytes, bytes], receive: Receive
    ) -> Answer:
        write_key = scope["path"].removeprefix(PREFIX).strip("/")
        if write_key.startswith(PREVIEW):
            return await self._preview(write_key.removeprefix(PREVIEW), scope, headers, receive)
        source = await self._tracking.source(write_key)
        if source is None or source.function is None:
            return NOT_HERE
        if scope["method"] != "POST":
            return POST_ONLY
        if not source.enabled:
            self._discard(source, {"type": "request"}, "source_disabled")
            return answers.OK
        if seconds := self._limit.wait(source):
            self._ledger.rejected(source.id, now_ms(), "too_many_requests")
            return answers.later(429, seconds, "this source sends more requests a second than it may")
        with self._room(source.id) as room:
            if not room:
                self._ledger.rejected(source.id, now_ms(), "too_many_requests")
                return BUSY
            return await self._take(source, source.function, scope, headers, receive)

    @contextlib.contextmanager
    def _room(self, id: str) -> Iterator[bool]:
        """Whether one more request may be under way for a source or a function."""
        of_one = self._under_way.get(id, 0)
        if of_one >= OF_ONE or sum(self._under_way.values()) >= UNDER_WAY:
            yield False
            return
        self._under_way[id] = of_one + 1
        try:
            yield True
        finally:
            self._under_way[id] -= 1
            if not self._under_way[id]:
                del self._under_way[id]

    async def _preview(
        self, function_id: str, scope: MutableMapping[str, Any], headers: dict[bytes, bytes], receive: Receive
    ) -> Answer:
        """Keep the request; nothing is called."""
        with self._room(function_id) as room:
            if not room:
                return BUSY
            if not await asyncio.to_thread(self._is_known, function_id):
                return NOT_HERE
            if scope["method"] != "POST":
                return POST_ONLY
            try:
                request = await _read(scope, headers, receive)
            except _Unreadable as refusal:
                return refusal.reply
            self._previews.keep(function_id, request, now_ms())
            return answers.OK

    async def _take(
        self,
        source: Source,
        function: SourceFunction,
        scope: MutableMapping[str, Any],
        headers: dict[bytes, bytes],
        receive: Receive,
    ) -> Answer:
        try:
            request = await _read(scope, headers, receive)
        except _Unreadable as refusal:
            return self._refuse(source, refusal.reason, refusal.reply)
        if self._functions.locked_out(source.workspace_id, function.id):
            self._discard(source, _shown(request), "FUNCTIONS_LOCK_OUT")
            return answers.failure(400, "the functions of this workspace have used up what they may use")
        code = await self._functions.code(source.workspace_id, source.id, function)
        if code is None:
            return self._refuse(source, "unavailable", NOT_RUN)
        return await self._run(source, function, code, request)

    async def _run(self, source: Source, function: SourceFunction, code: str, request: Request) -> Answer:
        hidden = masking(function)
        made = await self._functions.pool.invoke(
            key(source.id, function), code, HANDLER, request.frame(), function.settings, hidden
        )
        came = sent(made)
        kind = came.ending.kind
        if kind is Kind.OK:
            return await self._hand_in(source, came)
        if kind is Kind.DROPPED:
            return answers.OK
        if came.ending.action == "retry":
            self._ledger.rejected(source.id, now_ms(), came.ending.code)
            seconds = int(came.ending.retry_after or AGAIN)
            return answers.later(503, seconds, f"{kind.value}: nothing was taken; send this request again")
        self._discard(source, _shown(request, made, came, hidden), came.ending.code)
        return answers.failure(400, f"{kind.value}: nothing was taken")

    async def _hand_in(self, source: Source, came: Sent) -> Answer:
        if came.events:
            reply = await self._tracking.hand_in(source.id, came.events)
            if reply.status != 200:
                return reply
        if came.objects:
            codes = dict.fromkeys(range(len(came.objects)), NO_OBJECTS)
            self._ledger.discarded(Report(source.id, now_ms(), None, came.objects, codes))
        return answers.OK

    def _refuse(self, source: Source, reason: str, reply: Answer) -> Answer:
        self._ledger.rejected(source.id, now_ms(), reason)
        return reply

    def _discard(self, source: Source, shown: dict[str, Any], code: str) -> None:
        self._ledger.discarded(Report(source.id, now_ms(), None, [shown], {0: code}))


class _Unreadable(Exception):
    """A request that can't be handed to a function."""

    def __init__(self, reason: str, reply: Answer) -> None:
        super().__init__(reason)
        self.reason = reason
        self.reply = reply


async def _read(scope: MutableMapping[str, Any], headers: dict[bytes, bytes], receive: Receive) -> Request:
    """As functions get it. Raises `_Unreadable`, or `Disconnected`."""
    try:
        async with asyncio.timeout(READ_SECONDS):
            length, encoding = headers.get(b"content-length"), headers.get(b"content-encoding")
            body = (await read(receive, length, encoding, LARGEST)).decode()
    except TooLarge as error:
        if isinstance(error, Unread):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(READ_SECONDS):
                    await drain(receive)
        raise _Unreadable("too_large", REQUEST_TOO_LARGE) from None
    except (BadGzip, UnicodeDecodeError):
        raise _Unreadable("malformed", NOT_TEXT) from None
    except BadEncoding:
        raise _Unreadable("malformed", answers.BAD_ENCODING) from None
    except TimeoutError:
        raise _Unreadable("too_slow", answers.TOO_SLOW) from None
    return Request(
        url=_url(scope, headers),
        headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.items()],
        body=body,
    )


def _url(scope: MutableMapping[str, Any], headers: dict[bytes, bytes]) -> str:
    host = headers.get(b"host", b"localhost").decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    return f"{forwarded.scheme(headers, scope)}://{host}{scope['path']}{f'?{query}' if query else ''}"


def _readable(body: str) -> Any:
    """JSON as such, so that what is personal in it is found by its names."""
    if len(body) > SHOWN:
        return f"{body[:SHOWN]}…"
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body


def _shown(
    request: Request,
    made: Invocation | None = None,
    came: Sent | None = None,
    hidden: Masking | None = None,
) -> dict[str, Any]:
    """A failed request as people find it among the source's discarded events."""
    hidden = hidden or Masking(())
    shown: dict[str, Any] = {
        "type": "request",
        "request": {
            "url": _WRITE_KEY.sub(r"\1…", redact.url(request.url)),
            "headers": redact.headers(dict(request.headers)),
            "body": hidden.json(_readable(request.body)),
        },
    }
    if came is not None and made is not None:
        shown["error"] = {
            "kind": came.ending.kind.value,
            "message": hidden.text(came.ending.message),
            "line": made.error.line if made.error else None,
        }
        shown["logs"] = [hidden.text(text[:1000]) for _, _, text in made.logs[:50]]
    return shown
