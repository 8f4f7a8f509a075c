"""Follows the log of each source and counts accepted events by minute, type, name and app version, and the
different people in them by month.

Not at the front door, which would pay for it before each 200: here the events are decoded anyway, for the
destinations of the process, and what is counted is exact. A destination shows what it reads (`see`), so that
nothing is decoded for the counting alone while there is one; what no destination comes to see for a while is
read here (`count`). Cursor and counters move in one transaction, so what a crash takes is counted again from
the log, once. Ids are only ever added to sketches, so adding them twice changes nothing.

What if the process dies here? What was counted in the last second is counted again.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog

from onward.eventlog.cache import DecodeCache, Decoded
from onward.eventlog.protocol import Position
from onward.eventlog.record import CorruptRecord
from onward.metering.sketch import Sketch
from onward.metering.store import Counted, UsageStore, Volume, day_of, month_of
from onward.pipeline.normalise import Undecodable
from onward.pipeline.types import Event

Events = list[Event | Undecodable]

RECORDS = 16
SOME = 0.005
"""Seconds of counting before others of the process have a turn."""
NAMES = 2_000
"""Kinds of events (type, name, version) of one source that are told apart in one day."""
OTHER = "(other)"
KNOWN_IDS = 20_000
"""Ids that are remembered as counted, so that they need not be looked at again."""
PATIENCE = 1.0
"""Seconds in which a destination may come to what is next, before it is read for the counting alone."""
IDLE = 600.0
"""Seconds after which the sketches of a source that is silent are put away."""

UNKNOWN = ("", "", "")

log = structlog.get_logger()


class _Source:
    """One source as it is counted."""

    def __init__(self, cursor: Position) -> None:
        self.cursor = cursor
        self.volume: Counter[Volume] = Counter()
        self.names: set[tuple[str, str, str]] = set()
        self.day = 0
        self.month = -1
        """Whose sketches these are; -1 for none."""
        self.sketches: dict[str, Sketch] = {}
        self.changed: dict[int, dict[str, Sketch]] = {}
        self.known: tuple[set[str], set[str], set[str]] = (set(), set(), set())
        self.used_at = time.monotonic()
        self.seen_at = -math.inf
        """When a destination last showed what it read."""

    def take(self) -> Counted:
        counted = Counted(self.cursor, dict(self.volume), self.changed, self.day)
        self.volume, self.changed = Counter(), {}
        return counted


class Meter:
    """`see` what destinations read, `count` now and then, `take` what was counted, give it to
    `UsageStore.commit`.
    """

    def __init__(self, store: UsageStore, cache: DecodeCache[Events], owns: Callable[[str], bool]) -> None:
        self._store = store
        self._cache = cache
        self._owns = owns
        self._sources: dict[str, _Source] = {}
        self._failed = False
        """Whether `see` broke off within a record. A commit may be under way then, so the stored cursors are
        gone back to later, by `count` or `take`."""

    def open(self, source_id: str) -> None:
        """Begin with a source, so that `see` misses nothing. Raises what the store does."""
        if self._owns(source_id):
            self._source(source_id)

    def see(self, source_id: str, after: Position, records: Sequence[Decoded[Events]]) -> None:
        """Count what a destination has just read above `after`, if it is next. Never raises."""
        source = self._sources.get(source_id)
        if self._failed or source is None or not after.offset <= source.cursor.offset < records[-1].offset:
            return
        try:
            for record in records:
                if record.offset > source.cursor.offset:
                    self._record(source_id, source, record)
            source.seen_at = time.monotonic()
        except Exception:  # It must not stand in the way of a delivery.
            log.exception("events can't be counted; trying again", source=source_id)
            self._failed = True

    def count(self, heads: Mapping[str, Position]) -> bool:
        """Count for a moment what no destination comes to see; whether there is more to count at once.

        Raises what store and log do.
        """
        if self._failed:
            self.forget()
        now = time.monotonic()
        until = now + SOME
        for source_id, head in heads.items():
            if not self._owns(source_id):
                continue
            source = self._source(source_id)
            if now - source.seen_at < PATIENCE:
                continue
            while source.cursor.offset < head.offset:
                records = self._cache.read(source_id, source.cursor.offset, RECORDS)
                if not records:
                    source.cursor = head  # Retention took all that was left.
                    break
                for record in records:
                    self._record(source_id, source, record)
                if time.monotonic() > until:
                    return True
        return False

    def take(self) -> dict[str, Counted]:
        """What was counted since the last time, by source."""
        if self._failed:
            self.forget()
        now = time.monotonic()
        taken = {}
        for id, source in list(self._sources.items()):
            if source.volume:
                source.used_at = now
                taken[id] = source.take()
            elif now - source.used_at > IDLE and source.sketches:
                source.sketches, source.month = {}, -1
        return taken

    def forget(self) -> None:
        """After a failure: go back to what is stored. Not while what was taken is being stored."""
        self._sources.clear()
        self._failed = False

    def _source(self, source_id: str) -> _Source:
        source = self._sources.get(source_id)
        if source is None:
            source = self._sources[source_id] = _Source(self._store.cursor(source_id))
        return source

    def _record(self, source_id: str, source: _Source, record: Decoded[Events]) -> None:
        events = record.value
        minute = record.received_at // 60_000
        day = day_of(record.received_at)
        if day != source.day:
            source.day, source.names = day, set()
            if source.month != month_of(day):
                source.month = -1
        if isinstance(events, CorruptRecord):
            source.volume[Volume(minute, *UNKNOWN)] += record.count
        else:
            for kind, number in Counter(map(about, events)).items():
                source.volume[Volume(minute, *_bounded(source, kind))] += number
            self._people(source_id, source, day, events)
        source.cursor = record.end

    def _people(self, source_id: str, source: _Source, day: int, events: Events) -> None:
        if source.month < 0:
            source.month = month_of(day)
            source.known = (set(), set(), set())
            source.sketches = self._store.sketches(source_id, source.month)
        users, people, both = ids(events)
        for kind, found, known in zip(
            ("identified", "anonymous", "anonymous_identified"),
            (users, people, both),
            source.known,
            strict=True,
        ):
            new = found - known
            if not new:
                continue
            if source.sketches[kind].add(new):
                source.changed.setdefault(source.month, {})[kind] = source.sketches[kind]
            if len(known) > KNOWN_IDS:
                known.clear()
            known |= new


def about(event: Event | Undecodable) -> tuple[str, str, str]:
    """Type, name and app version."""
    if type(event) is not dict:
        return UNKNOWN
    kind = event.get("type")
    name = event.get("event" if kind == "track" else "name")
    context = event.get("context")
    app = context.get("app") if type(context) is dict else None
    version = app.get("version") if type(app) is dict else None
    kind = kind if type(kind) is str else ""  # Whatever a transformation made of it.
    return (kind, name if type(name) is str else "", version if type(version) is str else "")


def ids(events: Iterable[Event | Undecodable]) -> tuple[set[str], set[str], set[str]]:
    """User ids, anonymous ids, and the anonymous ids that came with a user id."""
    users: set[str] = set()
    people: set[str] = set()
    both: set[str] = set()
    for event in events:
        if type(event) is not dict:
            continue
        user, anonymous = event.get("userId"), event.get("anonymousId")
        if type(user) is str and user:
            users.add(user)
        if type(anonymous) is str and anonymous:
            people.add(anonymous)
            if type(user) is str and user:
                both.add(anonymous)
    return users, people, both


def _bounded(source: _Source, kind: tuple[str, str, str]) -> tuple[str, str, str]:
    if kind not in source.names:
        if len(source.names) >= NAMES:
            return kind[0], OTHER, ""
        source.names.add(kind)
    return kind[0], _text(kind[1], 200), _text(kind[2], 50)


def _text(text: str, most: int) -> str:
    return text[:most].encode("utf-8", "replace").decode()
