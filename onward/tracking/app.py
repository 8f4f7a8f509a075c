"""The front door: a bare ASGI application for everything under `/v1/` (spec §3).

Invariants

* 200 means that every accepted event of the request is on disk. 400 is for size and JSON alone; what is
  wrong with an event otherwise is a discard with its code behind a 200 (spec §3.4, §22.1).
* One bad event costs itself: its neighbours in the batch are kept. A batch that holds an event over
  32 KB is answered 400, as documented, and its other events are kept all the same: a client that gives
  up on 400 loses nothing, one that repeats is deduplicated.
* Whatever a client sends, it gets an answer below 500, but 503 when the disk can't take more.
* The pixel API answers with its image whatever happens; the status is 200, or 429 and 503 where an event
  was not stored, so that there too 200 means on disk. Browsers show the image at any status.

State: none but what waits for the committer; see `committer`, `dedupe` and `ledger` for theirs.

A write key comes from the body, then from Basic auth, then (for a batch) from its first event. One that
no source has is answered like any other; its events are discarded as `unknown_source`. Before that the
newest configuration is asked, so that a source takes events from the moment on that it is there.
"""

import asyncio
import contextlib
import gc
import logging
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping, Sequence, Set
from typing import Any
from urllib.parse import unquote

import orjson

from onward import forwarded
from onward.eventlog.protocol import EventLog
from onward.pipeline.types import Envelope, Event
from onward.settings import Settings
from onward.tracking import answers, auth, cdn, dedupe, intake, pixel
from onward.tracking.answers import Answer
from onward.tracking.body import BadEncoding, Disconnected, Receive, Unread, drain, read
from onward.tracking.committer import Committer, Job
from onward.tracking.deadline import Deadlines
from onward.tracking.dedupe import DedupeIndex
from onward.tracking.governance import Governors
from onward.tracking.inflate import BadGzip, TooLarge
from onward.tracking.intake import BAD_REQUEST, Intake
from onward.tracking.ledger import Ledger, Report, now_ms
from onward.tracking.limits import BATCH_BYTES, EVENT_BYTES, USER_AGENT_CHARS
from onward.tracking.ratelimit import RateLimit
from onward.tracking.recovery import recover
from onward.tracking.salvage import Malformed
from onward.workspace.snapshot import Snapshot, Source

log_ = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

Inserts = Callable[[Intake, Source, Envelope], Awaitable[Answer | None]]
"""Changes what stands of a request; an answer, if nothing of it is taken (see `source_inserts`)."""

TYPES = ("identify", "track", "page", "screen", "group", "alias")
BATCH = "batch"
METRICS = "metrics"
POSTS: dict[str, str] = {
    **{f"/v1/{type}": type for type in TYPES},
    **{f"/v1/{type[0]}": type for type in TYPES},
    **{"/v1/batch": BATCH, "/v1/import": BATCH, "/v1/b": BATCH, "/v1/m": METRICS},
}
PIXELS: dict[str, str] = {
    **{f"/v1/pixel/{type}": type for type in TYPES},
    **{f"/v1/pixel/{type[0]}": type for type in TYPES},
}

READ_SECONDS = 30.0
"""A body that takes longer is given up."""
FLUSH_SECONDS = 1.0
PRUNE_SECONDS = 3600.0


class Tracking:
    """ASGI application. `start` before the first request, `stop` after the last."""

    def __init__(
        self,
        log: EventLog,
        index: DedupeIndex,
        ledger: Ledger,
        snapshot: Callable[[], Snapshot],
        settings: Settings,
        *,
        newest: Callable[[], Awaitable[Snapshot]] | None = None,
        suppressed: Callable[[Source], Sequence[Set[str]]] = lambda source: (),
        inserts: Inserts | None = None,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        """`newest` looks whether there is a newer snapshot; `suppressed` tells the user ids whose events a
        source does not take; `inserts` calls the insert functions of sources."""
        self._log = log
        self._index = index
        self._ledger = ledger
        self._snapshot = snapshot
        self._newest = newest
        self._settings = settings
        self._suppressed = suppressed
        self._inserts = inserts
        self._deadlines = Deadlines(read_seconds)
        self._limit = RateLimit(time.monotonic)
        self._governors = Governors()
        self._committer = Committer(log, index, ledger, self._recover, settings.dedupe_hours * 3600)
        self._flusher: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.answered: Counter[int] = Counter()
        """Answers by status since the start, for /metrics."""
        self.client_metrics = 0
        """Series that analytics.js reported to /v1/m since the start."""

    @property
    def waiting(self) -> tuple[int, int]:
        """Requests and bytes that wait for the disk."""
        return self._committer.waiting_requests, self._committer.waiting_bytes

    @property
    def alive(self) -> bool:
        """Whether accepted requests get to the disk at all: false before `start` and after `stop`."""
        return self._committer.alive

    def first_seen(self, workspace_id: str, source_id: str, message_id: str) -> int | None:
        """When (s since the epoch) the event of an id was stored, if it was within the window of
        deduplication. Any thread may ask."""
        prefix = dedupe.prefix(workspace_id, source_id, self._settings.dedupe_scope)
        (key,) = dedupe.keys(prefix, [message_id], self._index.seed)
        return self._index.first_seen(key)

    async def start(self) -> None:
        """Catch up with the event log, then be ready. Raises what the log or the index raise."""
        read = await asyncio.to_thread(self._recover)
        if read:
            log_.info("the dedupe index and the ledger read %d records of the event log again", read)
        self._loop = asyncio.get_running_loop()
        self._committer.start(self._loop)
        self._flusher = self._loop.create_task(self._flush())
        tune()

    async def stop(self) -> None:
        """Answer what waits, then persist index and ledger. The log stays open: it is the caller's."""
        await self._committer.stop()
        if self._flusher is not None:
            self._flusher.cancel()
        await asyncio.to_thread(self._ledger.close)
        await asyncio.to_thread(self._index.close)

    def _recover(self) -> int:
        since = time.time() - self._settings.dedupe_hours * 3600
        scope = self._settings.dedupe_scope
        return recover(self._log, self._index, self._ledger, self._snapshot(), scope, int(since * 1000))

    async def _flush(self) -> None:
        prune_at = time.monotonic()
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            self._deadlines.sweep(asyncio.get_running_loop().time())
            try:
                await asyncio.to_thread(self._ledger.flush)
                if time.monotonic() >= prune_at:
                    prune_at = time.monotonic() + PRUNE_SECONDS
                    await asyncio.to_thread(self._ledger.prune, int(time.time() * 1000))
            except Exception:
                log_.exception("the ledger could not be written; counters are kept and tried again")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1003})
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        method = scope["method"]
        path = scope["path"].rstrip("/")
        try:
            post = POSTS.get(path)
            if post is not None and method == "POST":
                reply = await self._post(post, headers, scope, receive)
            else:
                reply = await self._get(path, method, post is not None, headers, scope)
        except Disconnected:
            return
        except Exception:  # a fault of ours: nothing was answered, so nothing was promised
            log_.exception("%s %s failed", method, scope["path"])
            reply = answers.UNAVAILABLE
        self.answered[reply.status] += 1
        await send(answers.start(reply, headers.get(b"origin")))
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else reply.body})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await self.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _post(self, kind: str, headers: dict[bytes, bytes], scope: Scope, receive: Receive) -> Answer:
        limit = BATCH_BYTES if kind in (BATCH, METRICS) else EVENT_BYTES
        length = headers.get(b"content-length")
        try:
            body = await self._deadlines.run(read(receive, length, headers.get(b"content-encoding"), limit))
            if kind == METRICS:
                return self._metrics(body)
            taken = intake.batch(body) if kind == BATCH else intake.single(body, kind)
        except TooLarge as error:
            if isinstance(error, Unread):
                with contextlib.suppress(TimeoutError):  # the answer is the same, heard or not
                    await self._deadlines.run(drain(receive))
            self._reject(headers, "too_large")
            return answers.BATCH_TOO_LARGE if limit == BATCH_BYTES else answers.EVENT_TOO_LARGE
        except Malformed:
            self._reject(headers, "malformed")
            return answers.MALFORMED
        except BadGzip:
            self._reject(headers, "malformed")
            return answers.BAD_GZIP
        except BadEncoding:
            self._reject(headers, "malformed")
            return answers.BAD_ENCODING
        except TimeoutError:
            self._reject(headers, "too_slow")
            return answers.TOO_SLOW
        return await self._take(taken, headers, scope)

    async def _get(
        self, path: str, method: str, post: bool, headers: dict[bytes, bytes], scope: Scope
    ) -> Answer:
        pixel_type = PIXELS.get(path)
        project = cdn.PATH.fullmatch(path)
        if not (post or pixel_type or project):
            return answers.NOT_FOUND
        if method == "OPTIONS":
            return answers.preflight(headers.get(b"origin"), headers.get(b"access-control-request-headers"))
        if post:
            return answers.POST_ONLY
        if method not in ("GET", "HEAD"):
            return answers.GET_ONLY
        if project:
            key = unquote(project[1])
            return cdn.settings(
                await self.source(key),
                key,
                headers.get(b"host", b""),
                forwarded.scheme(headers, scope),
                headers.get(b"if-none-match"),
            )
        assert pixel_type is not None
        return await self._pixel(pixel_type, headers, scope)

    async def _pixel(self, type: str, headers: dict[bytes, bytes], scope: Scope) -> Answer:
        query: bytes = scope["query_string"]
        try:
            body = pixel.event_body(query)
            if len(body) > EVENT_BYTES:
                raise pixel.BadQuery("the event is larger than 32 KB")
            taken = intake.single(body, type)
        except (pixel.BadQuery, Malformed):
            taken = Intake(b"", type, batch=False)
            taken.events = [query]
            taken.discard_all(BAD_REQUEST)
        reply = await self._take(taken, headers, scope, direct=True)
        return answers.GIF if reply.status == 200 else answers.as_gif(reply)

    async def _take(
        self,
        taken: Intake,
        headers: dict[bytes, bytes],
        scope: Scope,
        *,
        direct: bool = False,
    ) -> Answer:
        """Whose it is, what is wrong with it, and on to the disk with the rest."""
        received_at = now_ms()
        key = auth.body_key(taken.key) or auth.basic_key(headers.get(b"authorization"))
        source = await self.source(key) if key else None
        if source is None:
            taken.discard_all("unknown_source")
        elif not source.enabled:
            taken.discard_all("source_disabled")
            taken.hush(self._suppressed(source))
        else:
            seconds = self._limit.wait(source)
            if seconds:
                self._ledger.rejected(source.id, received_at, "too_many_requests")
                return answers.later(429, seconds, "this source sends more requests a second than it may")
            taken.validate(self._suppressed(source))
        reply = await self._admit(taken, source, received_at, headers, scope, direct)
        if reply is answers.OK and taken.oversize:
            return answers.oversize(taken.oversize, len(taken.events) - len(taken.oversize))
        return reply

    async def _admit(
        self,
        taken: Intake,
        source: Source | None,
        received_at: int,
        headers: dict[bytes, bytes],
        scope: Scope,
        direct: bool,
    ) -> Answer:
        """The source's rules, and on to the disk with what stands."""
        if source is not None and taken.message_ids and source.inserted is not None:
            refusal = await self._insert(taken, source, received_at, headers, scope, direct)
            if refusal is not None:
                return refusal
            taken.hush_made(self._suppressed(source))  # the function may have found out whose they are
        if source is not None and taken.message_ids:
            refusal = await self._govern(taken, source, received_at, headers, scope, direct)
            if refusal is not None:
                return refusal
        if source is None or not taken.message_ids:
            source_id = source.id if source else ""
            report = Report(source_id, received_at, taken.type, taken.events, taken.discards, more=taken.more)
            self._ledger.discarded(report)
            return answers.OK
        return await self._commit(taken, source, received_at, headers, scope, direct)

    async def source(self, write_key: str) -> Source | None:
        """Whose key this is, also if the source was made a moment ago."""
        source = self._snapshot().source_by_write_key.get(write_key)
        if source is None and self._newest is not None:
            source = (await self._newest()).source_by_write_key.get(write_key)
        return source

    async def hand_in(self, source_id: str, events: Sequence[Event]) -> Answer:
        """Take events that are Onward's own for a source, as if a client had sent them in one batch.

        No rate limit holds for them. 503: nothing was taken, also if the source is not in the snapshot yet.
        """
        source = self._snapshot().source_by_id.get(source_id)
        if source is None or not self.alive:
            return answers.UNAVAILABLE
        taken = intake.batch(orjson.dumps({"batch": events}))
        if source.enabled:
            taken.validate(self._suppressed(source))
        else:
            taken.discard_all("source_disabled")
            taken.hush(self._suppressed(source))
        return await self._admit(taken, source, now_ms(), {}, {}, False)

    async def _insert(
        self,
        taken: Intake,
        source: Source,
        received_at: int,
        headers: dict[bytes, bytes],
        scope: Scope,
        direct: bool,
    ) -> Answer | None:
        """What the source's insert function does; an answer, if it is the last."""
        ip, agent = forwarded.client_ip(headers, scope), _user_agent(headers)
        envelope = Envelope(received_at, taken.batch, taken.type, ip, agent, ids=taken.ids, direct=direct)
        if self._inserts is None:  # nothing may pass what can't be called
            refusal: Answer | None = answers.UNAVAILABLE
        else:
            refusal = await self._inserts(taken, source, envelope)
        if refusal is not None:
            self._ledger.rejected(source.id, received_at, "unavailable")
        return refusal

    async def _govern(
        self,
        taken: Intake,
        source: Source,
        received_at: int,
        headers: dict[bytes, bytes],
        scope: Scope,
        direct: bool,
    ) -> Answer | None:
        """What the source's schema, tracking plan and transformations do, once for all destinations.

        What is handed on to another source is on disk before the request goes on. An answer, if it is the
        last: then nothing of the request was taken.
        """
        try:
            governor = self._governors.of(self._snapshot(), source)
        except ValueError as error:
            log_.error("source %s takes nothing until its rules are put right: %s", source.id, error)
            self._ledger.rejected(source.id, received_at, "unavailable")
            return answers.UNAVAILABLE
        if governor is None:
            return None
        ip, agent = forwarded.client_ip(headers, scope), _user_agent(headers)
        envelope = Envelope(received_at, taken.batch, taken.type, ip, agent, ids=taken.ids, direct=direct)
        for target_id, events in governor.judge(taken, envelope):
            target = self._snapshot().source_by_id.get(target_id)
            if target is None:
                continue
            handed_on = intake.completed(events)
            if target.enabled:
                handed_on.hush_made(self._suppressed(target))
            else:
                handed_on.discard_all("source_disabled")
                handed_on.hush(self._suppressed(target))
            if not handed_on.message_ids:
                self._ledger.discarded(
                    Report(target.id, received_at, None, handed_on.events, handed_on.discards)
                )
                continue
            reply = await self._commit(handed_on, target, received_at, headers, scope, direct)
            if reply is not answers.OK:
                return reply
        return None

    async def _commit(
        self,
        taken: Intake,
        source: Source,
        received_at: int,
        headers: dict[bytes, bytes],
        scope: Scope,
        direct: bool,
    ) -> Answer:
        assert self._loop is not None
        prefix = dedupe.prefix(source.workspace_id, source.id, self._settings.dedupe_scope)
        keys = dedupe.keys(prefix, taken.message_ids, self._index.seed)
        taken.release()
        job = Job(
            taken,
            source.id,
            keys,
            received_at,
            forwarded.client_ip(headers, scope),
            _user_agent(headers),
            direct,
            self._loop.create_future(),
        )
        reply = await job.answered if self._committer.submit(job) else answers.OVERLOADED
        if reply.status == 503:
            self._ledger.rejected(source.id, received_at, "unavailable")
        return reply

    def _metrics(self, body: bytes) -> Answer:
        """`/v1/m`: what analytics.js says about itself is counted and otherwise let go."""
        try:
            content = orjson.loads(body)
        except orjson.JSONDecodeError:
            return answers.MALFORMED
        series = content.get("series") if isinstance(content, dict) else None
        self.client_metrics += len(series) if isinstance(series, list) else 1
        return answers.OK

    def _reject(self, headers: dict[bytes, bytes], reason: str) -> None:
        """Count a refusal, with its source as far as a header names it."""
        key = auth.basic_key(headers.get(b"authorization"))
        source = self._snapshot().source_by_write_key.get(key) if key else None
        self._ledger.rejected(source.id if source else "", now_ms(), reason)


def _user_agent(headers: dict[bytes, bytes]) -> str | None:
    agent = headers.get(b"user-agent")
    return agent.decode("latin-1")[:USER_AGENT_CHARS] if agent else None


def tune() -> None:
    """Set this process up for many short-lived objects and one busy second thread.

    The cyclic collector would walk every decoded event, which is never part of a cycle, so it runs
    seldom. A committer that comes back from the disk waits for the interpreter lock for the switch
    interval, 5 ms by default, which is most of a request's latency.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    sys.setswitchinterval(0.0005)
