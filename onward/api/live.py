"""Live data as server-sent events (ours): the source debugger's tail, and the rates of the home page.

Invariants: a stream costs the same whatever flows: it looks once every `TAIL_EVERY` or `RATES_EVERY` seconds,
sends at most `MOST` events a second, and says how many it left out. There are at most `STREAMS` at once, and
`EACH` of one caller; more are answered 429. After some minutes a stream ends, and a browser that connects
again is looked at again: so a session that is over, or a permission that was taken away, ends its streams.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

import anyio.to_thread
import msgspec
from litestar import get
from litestar.exceptions import HTTPException
from litestar.response import Stream
from sqlalchemy import select

from onward.api.answers import timestamp
from onward.api.context import ApiRequest, Books, Context, Id, InContext, Recent, Tail, Verdict
from onward.api.query import read_query
from onward.api.sources import DebuggerLine, debugger_line
from onward.workspace.entities import Destination, Source
from onward.workspace.errors import Invalid
from onward.workspace.roles import Permission
from onward.workspace.sources import get_source

MEDIA = "text/event-stream"
TAIL_EVERY = 1.0
RATES_EVERY = 2.0
"""Seconds."""
MOST = 100
"""Events of a tail in one second."""
STREAMS = 128
EACH = 12
QUIET = 15.0
"""Seconds after which a silent stream says that it is there."""


class TailQuery(msgspec.Struct, rename="camel", kw_only=True):
    per_second: int = 20
    """Events at most, 1 to 100; the others are counted."""


class TailMessage(TypedDict):
    """The data of an `events` message."""

    events: list[DebuggerLine]
    """The oldest first."""
    came: int
    """Events that came since the message before, with those that are shown."""
    skipped: int
    """Of those: not shown."""


class SourceRate(TypedDict):
    id: str
    perSecond: float
    accepted: int
    """Ever."""


class DestinationRate(TypedDict):
    id: str
    deliveredPerSecond: float
    discardedPerSecond: float
    pending: int
    retrying: int
    pausedSince: str | None


class RatesMessage(TypedDict):
    """The data of a `rates` message."""

    time: str
    complete: bool
    """Whether all connections are in it: so in the first; later only those that changed."""
    sources: list[SourceRate]
    destinations: list[DestinationRate]


class TailEvent(TypedDict):
    event: Literal["events"]
    data: str
    """JSON: `{"events": [{"receivedAt", "type", "messageId", "verdict", "code", "payload"}], "came",
    "skipped"}`, the oldest first; of the events that came since the message before, `skipped` are not
    shown."""


class RatesEvent(TypedDict):
    event: Literal["rates"]
    data: str
    """JSON: `{"time", "complete", "sources": [{"id", "perSecond", "accepted"}], "destinations": [{"id",
    "deliveredPerSecond", "discardedPerSecond", "pending", "retrying", "pausedSince"}]}`: all connections in
    the first message (`complete`), later those that changed."""


class Live:
    """The streams of one process."""

    def __init__(self, seconds: float) -> None:
        """How long a stream goes on; 0: until it has said what there is."""
        self.seconds = seconds
        self._open: Counter[str] = Counter()
        self._figures: dict[str, Figures] = {}
        self._reading = asyncio.Lock()

    def enter(self, actor: str) -> None:
        """Raises `HTTPException` (429)."""
        if self._open.total() >= STREAMS or self._open[actor] >= EACH:
            raise HTTPException(status_code=429, detail="too many live streams are open; close some pages")
        self._open[actor] += 1

    def leave(self, actor: str) -> None:
        self._open[actor] -= 1
        if not self._open[actor]:
            del self._open[actor]

    async def figures(self, workspace_id: str, read: Callable[[], "Figures"]) -> "Figures":
        """Read once for all streams of a workspace."""
        async with self._reading:
            found = self._figures.get(workspace_id)
            if found is None or time.monotonic() - found.at > RATES_EVERY * 0.75:
                found = self._figures[workspace_id] = await anyio.to_thread.run_sync(read)
            return found


@dataclass
class Figures:
    """Counters of a workspace at one moment."""

    sources: Mapping[str, int]
    """Accepted events ever, by id."""
    destinations: Mapping[str, Books]
    of: Mapping[str, str]
    """Destination → source."""
    at: float = field(default_factory=time.monotonic)


@get(
    "/live/sources/{source_id:str}/debugger",
    operation_id="streamSourceDebuggerEvents",
    media=MEDIA,
    query=TailQuery,
    answer=TailEvent,
)
async def stream_debugger(context: InContext, request: ApiRequest, source_id: Id) -> Stream:
    """Ours: server-sent events, `events` messages: a source's events as they come, with the door's verdict.

    Sampled where more come than a page can show; `skipped` counts the others.
    """
    most = read_query(request, TailQuery).per_second
    if not 1 <= most <= MOST:
        raise Invalid(f"this must be a whole number from 1 to {MOST}", field="perSecond")
    await anyio.to_thread.run_sync(_check_source, context, source_id)
    tail = _Tail(context, request.app.state.tail, source_id, most)
    return _stream(request, TAIL_EVERY, "events", tail.step)


@get("/live/rates", operation_id="streamRates", media=MEDIA, answer=RatesEvent)
async def stream_rates(context: InContext, request: ApiRequest) -> Stream:
    """Ours: server-sent events, `rates` messages: what flows through each source and destination."""
    rates = _Rates(context, request.app.state.live)
    return _stream(request, RATES_EVERY, "rates", rates.step)


Step = Callable[[], Any]
"""Coroutine function: the next message, or None for nothing new."""


def _stream(request: ApiRequest, every: float, name: Literal["events", "rates"], step: Step) -> Stream:
    live: Live = request.app.state.live
    actor = request.auth.actor.id
    live.enter(actor)

    async def messages() -> AsyncIterator[bytes]:
        try:
            yield b"retry: 1000\n\n"
            end = time.monotonic() + live.seconds
            said = time.monotonic()
            while True:
                message = await step()
                if message is not None:
                    yield b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(message))
                    said = time.monotonic()
                elif time.monotonic() - said > QUIET:
                    yield b": nothing new\n\n"
                    said = time.monotonic()
                if time.monotonic() + every > end:
                    return
                await asyncio.sleep(every)
        finally:
            live.leave(actor)

    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return Stream(messages(), media_type=MEDIA, headers=headers)


class _Tail:
    """What is new of a source's debugger."""

    def __init__(self, context: Context, tail: Tail, source_id: str, most: int) -> None:
        self._context = context
        self._tail = tail
        self._source_id = source_id
        self._most = most
        self._after: int | None = None
        self._since = int(time.time() * 1000)
        """Counters of minutes are compared from here on: a stream lasts some minutes."""
        self._counted = 0
        self._unmasked = context.access.to(Permission.PII_READ, source_id)

    async def step(self) -> TailMessage | None:
        return await anyio.to_thread.run_sync(self._step)

    def _step(self) -> TailMessage | None:
        first = self._after is None
        found = self._tail(self._source_id, self._after, self._most, self._since)
        came = len(found.lines) if first else max(len(found.lines), found.came - self._counted)
        self._after, self._counted = found.last, found.came
        if not first and not came:
            return None
        events = [debugger_line(line, self._unmasked) for line in found.lines]
        return {"events": events, "came": came, "skipped": came - len(events)}


class _Rates:
    """What has changed of a workspace's counters."""

    def __init__(self, context: Context, live: Live) -> None:
        self._context = context
        self._live = live
        self._before: Figures | None = None
        self._shown: dict[str, Any] = {}

    async def step(self) -> RatesMessage | None:
        figures = await self._live.figures(self._context.workspace_id, self._read)
        message = self._message(figures)
        self._before = figures
        return message

    def _read(self) -> Figures:
        context = self._context
        sources = select(Source.id).where(Source.workspace_id == context.workspace_id)
        destinations = (
            select(Destination.id, Destination.source_id)
            .join(Source, Source.id == Destination.source_id)
            .where(Source.workspace_id == context.workspace_id)
        )
        with context.store.reading() as session:
            ids = session.scalars(sources).all()
            of = {row.id: row.source_id for row in session.execute(destinations)}
        accepted = context.delivery.accepted()
        return Figures({id: accepted.get(id, 0) for id in ids}, context.delivery.all_books(of), of)

    def _message(self, figures: Figures) -> RatesMessage | None:
        before = self._before
        seconds = figures.at - before.at if before else 0.0

        def rate(now: int, then: int | None) -> float:
            return round(max(0, now - then) / seconds, 1) if seconds > 0 and then is not None else 0.0

        may = self._context.access.to
        sources: list[SourceRate] = []
        for id, accepted in figures.sources.items():
            if may(Permission.SOURCE_READ, id):
                then = before.sources.get(id) if before else None
                shown: SourceRate = {"id": id, "perSecond": rate(accepted, then), "accepted": accepted}
                if self._is_new(id, shown):
                    sources.append(shown)
        destinations: list[DestinationRate] = []
        for id, books in figures.destinations.items():
            if not may(Permission.DESTINATION_READ, figures.of[id]):
                continue
            was = before.destinations.get(id) if before else None
            paused = books.paused_since
            one: DestinationRate = {
                "id": id,
                "deliveredPerSecond": rate(books.delivered, was.delivered if was else None),
                "discardedPerSecond": rate(books.discarded, was.discarded if was else None),
                "pending": books.pending,
                "retrying": books.retrying,
                "pausedSince": None if paused is None else timestamp(int(paused * 1000)),
            }
            if self._is_new(id, one):
                destinations.append(one)
        if before is not None and not sources and not destinations:
            return None
        now = timestamp(int(time.time() * 1000))
        return {"time": now, "complete": before is None, "sources": sources, "destinations": destinations}

    def _is_new(self, id: str, shown: Any) -> bool:
        if self._shown.get(id) == shown:
            return False
        self._shown[id] = shown
        return True


def _check_source(context: Context, source_id: str) -> None:
    with context.reading() as session:
        get_source(session, context.workspace_id, source_id)


class Latest(msgspec.Struct, frozen=True):
    last: int
    came: int
    lines: Sequence[Verdict]


def latest_alone(recent: Recent) -> Tail:
    """The tail of what can only be asked for its latest lines: those, and then nothing."""

    def tail(source_id: str, after: int | None, most: int, since: int) -> Latest:
        lines = recent(source_id, most) if after is None else ()
        return Latest(0, 0, list(reversed(lines)))

    return tail


ROUTES = [stream_debugger, stream_rates]
