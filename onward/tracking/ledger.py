"""What the door counts and shows: counters per source and minute, discard samples, the source debugger.

Invariants

* Per source and minute, received = accepted + duplicate + discarded + filtered, in events: filtered is what
  the source's schema or tracking plan blocks (spec §12.4). Rejected requests (400, 429, 503) are counted
  apart, in requests: nobody can say how many events were in them.
* Accepted events are counted with the log offset of their group commit, and both are written in one
  transaction. So the accepted counters are exact: what a crash takes is counted again from the log
  (`onward.tracking.recovery`).
* Samples are samples: the debugger ring holds the last 500 verdicts of a source, of at most
  `SOURCE_SAMPLES` a second, and `TOTAL_SAMPLES` over all sources; a discard code keeps its last
  `DISCARDS_KEPT` payloads per source. Payloads are as received, without the write key. Of people who are
  suppressed there is none: they are counted and that is all.

What if the process dies here? Everything is gathered in memory and written every second by `flush`, to
DATA/ingest.db, which other processes may read at any time. A crash loses up to the last second of
duplicate, discard and rejection counts and of samples, never an event and never an accepted count.

Cost: one lock a group and a few dictionary updates a request, 0.12 µs an event in batches of 100; a sample
10 µs, which is 0.02 µs an event at 250,000 a second.
"""

import re
import sqlite3
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import orjson

from onward.metering.query import NONE, Question, Totals, ask, roll_up
from onward.pipeline.governance import FILTERED_AT_SOURCE
from onward.pipeline.types import EVENT_TYPES
from onward.tracking.intake import USER_SUPPRESSED

RING = 500
SOURCE_SAMPLES = 500
TOTAL_SAMPLES = 2_000
DISCARDS_KEPT = 100
DISCARD_SAMPLES = 20
"""Payloads of one source and code taken between two flushes."""
PAYLOAD_BYTES = 32 * 1024
"""A longer payload is cut: it is a whole request that was discarded as such."""
MINUTES_KEPT = 3 * 24 * 60
"""Then the counters are rolled up into hours."""
HOURS_KEPT = 31 * 24 * 60
NAMES = 5_000
"""Kinds of discarded events (code, type, name, version) that are told apart between two flushes."""
WHOLE = {"batch", "request"}
"""Members that tell a request from an event."""
FAILED = ("source_id", "code", "event_type", "event_name", "app_version")

_DDL = Path(__file__).with_name("ledger.sql")


class Report(NamedTuple):
    """The verdicts on one request."""

    source_id: str
    """'' if the write key belongs to no source."""
    received_at: int
    type: str | None
    """What the path implies; None for a batch."""
    events: Sequence[Any]
    """As sent: a dict each, or raw bytes where they could not be decoded. May be left out if there are
    `types` and `Ledger.samples` wants none."""
    discards: dict[int, str]
    """Position → code."""
    duplicates: frozenset[int] | set[int] = frozenset()
    ids: Mapping[int, str] = MappingProxyType({})
    """messageIds that the door assigned, by position."""
    types: Mapping[str, int] | None = None
    """The events by type, if the reporter knows and nothing was discarded or repeated."""
    more: Mapping[str, int] = MappingProxyType({})
    """Events that were discarded and are not here, by code: too many to look at."""


class Count(NamedTuple):
    minute: int
    """Minutes since the epoch; the start of the hour for what is older than three days."""
    outcome: str
    code: str
    type: str
    events: int


class Verdict(NamedTuple):
    """One line of the source debugger."""

    received_at: int
    type: str
    message_id: str | None
    verdict: str
    """accepted, duplicate, discarded or filtered."""
    code: str
    payload: bytes
    """The event as sent, without the write key."""


class Tailed(NamedTuple):
    last: int
    """Number of the newest line."""
    came: int
    """Events, shown or not."""
    lines: list[Verdict]


class Discard(NamedTuple):
    received_at: int
    code: str
    type: str
    message_id: str | None
    payload: bytes


class Ledger:
    """The writing side: one per data folder. Any thread may report; `flush` has a thread of its own."""

    def __init__(self, path: Path, *, discard_retention_ms: int = 168 * 3_600_000) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("pragma journal_mode = wal")
        # A power cut may take the last commits, which a crash may anyway; the order is kept.
        self._db.execute("pragma synchronous = normal")
        self._db.execute("pragma busy_timeout = 5000")
        self._db.executescript(_DDL.read_text())
        self._discard_retention_ms = discard_retention_ms
        self._seqs: dict[str, int] = dict(
            self._db.execute("select source_id, max(seq) from ring group by source_id")
        )
        row = self._db.execute("select offset from covered").fetchone()
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._offset: int | None = row[0] if row else None
        self._flushed = self._offset
        self._clear()

    def _clear(self) -> None:
        self._counts: Counter[tuple[str, int, str, str, str]] = Counter()
        self._ring: dict[str, deque[tuple[Report, int, str, str]]] = {}
        self._room: dict[str, int] = {}
        self._total_room = TOTAL_SAMPLES
        self._discards: dict[tuple[str, str], list[tuple[Report, int]]] = {}
        self._failed: Counter[tuple[str, int, str, str, str, str]] = Counter()

    def samples(self, source_id: str) -> bool:
        """Whether the debugger has room for more of this source's events before the next flush."""
        return self._total_room > 0 and self._room.get(source_id, SOURCE_SAMPLES) > 0

    def offset(self) -> int | None:
        """The log offset up to which accepted events are counted; None in a new ledger."""
        return self._offset

    def begin(self, offset: int) -> None:
        """Count from here on: the log's end when a ledger is new."""
        self._offset = offset
        self.flush()

    def committed(self, reports: Iterable[Report], offset: int) -> None:
        """Requests with events in a group commit that ended at `offset`."""
        with self._lock:
            for report in reports:
                self._add(report)
            self._offset = offset

    def discarded(self, report: Report) -> None:
        """A request of which nothing went to the log."""
        with self._lock:
            self._add(report)

    def rejected(self, source_id: str, received_at: int, reason: str) -> None:
        """A request that was answered with an error."""
        with self._lock:
            self._counts[source_id, received_at // 60_000, "rejected", reason, ""] += 1

    def recovered(self, source_id: str, received_at: int, types: Counter[str], offset: int) -> None:
        """Accepted events that the log holds and the ledger missed."""
        with self._lock:
            for type, events in types.items():
                self._counts[source_id, received_at // 60_000, "accepted", "", _known(type)] += events
            self._offset = offset

    def _add(self, report: Report) -> None:
        source_id, received_at, type, events, _, _, _, types, more = report
        minute = received_at // 60_000
        counts = self._counts
        if types is not None:
            for each, number in types.items():
                counts[source_id, minute, "accepted", "", _known(each)] += number
        else:
            for at, event in enumerate(events):
                verdict, code = _verdict(report, at)
                counts[source_id, minute, verdict, code, _type(event, type)] += 1
                if code:
                    self._fail(source_id, minute, code, *_about(event, type))
                if code and code != USER_SUPPRESSED:
                    kept = self._discards.setdefault((source_id, code), [])
                    if len(kept) < DISCARD_SAMPLES:
                        kept.append((report, at))
        for code, number in more.items():
            counts[source_id, minute, "discarded", code, _known(type)] += number
            self._fail(source_id, minute, code, _known(type), "", "", number)
        room = self._room.get(source_id, SOURCE_SAMPLES)
        take = min(room, self._total_room, len(events))
        if take:
            self._room[source_id] = room - take
            self._total_room -= take
            ring = self._ring.setdefault(source_id, deque(maxlen=RING))
            lines = ((report, at, *_verdict(report, at)) for at in range(take))
            ring.extend(line for line in lines if line[3] != USER_SUPPRESSED)

    def _fail(
        self, source_id: str, minute: int, code: str, type: str, name: str, version: str, number: int = 1
    ) -> None:
        key = (source_id, minute, code, type, name, version)
        if len(self._failed) >= NAMES and key not in self._failed:
            key = (source_id, minute, code, type, "(other)", "")
        self._failed[key] += number

    def flush(self) -> None:
        """Write what was gathered, in one transaction. Raises sqlite3.Error; then it is gathered again."""
        with self._flushing:
            with self._lock:
                counts, ring, discards, failed = self._counts, self._ring, self._discards, self._failed
                offset = self._offset
                self._clear()
            if not counts and offset == self._flushed:
                return
            try:
                self._db.execute("begin immediate")
                self._write(counts, ring, discards, failed, offset)
                self._db.execute("commit")
            except sqlite3.Error:
                if self._db.in_transaction:
                    self._db.execute("rollback")
                with self._lock:
                    self._counts.update(counts)
                    self._failed.update(failed)
                raise
            self._flushed = offset

    def _write(
        self,
        counts: Counter[tuple[str, int, str, str, str]],
        ring: dict[str, deque[tuple[Report, int, str, str]]],
        discards: dict[tuple[str, str], list[tuple[Report, int]]],
        failed: Counter[tuple[str, int, str, str, str, str]],
        offset: int | None,
    ) -> None:
        db = self._db
        db.executemany(
            "insert into failed (source_id, minute, code, event_type, event_name, app_version, count)"
            " values (?, ?, ?, ?, ?, ?, ?) on conflict do update set count = count + excluded.count",
            [(*key, events) for key, events in failed.items()],
        )
        db.executemany(
            "insert into counts values (?, ?, ?, ?, ?, ?) on conflict do update"
            " set events = events + excluded.events",
            [(*key, events) for key, events in counts.items()],
        )
        for source_id, lines in ring.items():
            seq = self._seqs.get(source_id, 0)
            self._seqs[source_id] = seq + len(lines)
            db.executemany(
                "insert or replace into ring values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        source_id,
                        n % RING,
                        n,
                        *_line(report, at),
                        verdict,
                        code,
                        _payload(report, at),
                    )
                    for n, (report, at, verdict, code) in enumerate(lines, seq + 1)
                ],
            )
        for (source_id, code), samples in discards.items():
            db.executemany(
                "insert into discards (source_id, code, received_at, type, message_id, payload)"
                " values (?, ?, ?, ?, ?, ?)",
                [(source_id, code, *_line(report, at), _payload(report, at)) for report, at in samples],
            )
            db.execute(
                "delete from discards where source_id = ?1 and code = ?2 and id <= (select id from discards"
                " where source_id = ?1 and code = ?2 order by id desc limit 1 offset ?3)",
                (source_id, code, DISCARDS_KEPT),
            )
        if offset is not None:
            db.execute("insert or replace into covered values (1, ?)", (offset,))

    def prune(self, now: int) -> None:
        """Forget what retention no longer keeps, and roll old minutes up into hours. `now` in ms."""
        minute = now // 60_000
        edge = (minute - MINUTES_KEPT) // 60 * 60
        with self._flushing:
            self._db.execute("begin immediate")
            self._db.execute(
                "delete from discards where received_at < ?", (now - self._discard_retention_ms,)
            )
            self._db.execute("delete from counts where minute < ?", (minute - HOURS_KEPT,))
            self._db.execute("delete from failed where minute < ?", (minute - HOURS_KEPT,))
            roll_up(self._db, "failed", FAILED, 0, edge, 60)
            self._db.execute(
                "insert into counts select source_id, minute / 60 * 60, outcome, code, type, sum(events)"
                " from counts where minute < ? and minute % 60 group by 1, 2, 3, 4, 5"
                " on conflict do update set events = events + excluded.events",
                (edge,),
            )
            self._db.execute("delete from counts where minute < ? and minute % 60", (edge,))
            self._db.execute("commit")

    def erase(self, covers: Callable[[str], bool], user_ids: Set[str], before: int) -> None:
        """Forget samples of these users received before `before` (ms), of the sources for which `covers`.

        What is no event (a whole request, a webhook's call, what can't be read) goes if it holds one of the
        ids anywhere: it is a sample, and cut perhaps.
        """
        self.flush()
        with self._flushing:
            db = self._db
            # What is deleted is overwritten, here and, as far as no reader is in the way, in the WAL.
            db.execute("pragma secure_delete = on")
            db.execute("begin immediate")
            try:
                for table, key in (("ring", "source_id, slot"), ("discards", "id")):
                    found = db.execute(
                        f"select {key}, source_id, payload from {table} where received_at <= ?", (before,)
                    )
                    where = " and ".join(f"{column} = ?" for column in key.split(", "))
                    gone = [row[:-2] for row in found if covers(row[-2]) and _is_of(row[-1], user_ids)]
                    db.executemany(f"delete from {table} where {where}", gone)
                db.execute("commit")
            except BaseException:
                db.execute("rollback")
                raise
            finally:
                db.execute("pragma secure_delete = off")
            db.execute("pragma wal_checkpoint(truncate)").fetchall()

    def close(self) -> None:
        self.flush()
        self._db.close()


class LedgerReader:
    """The reading side, for any process. A ledger that is not there yet reads as empty."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def recent(self, source_id: str, limit: int = RING) -> list[Verdict]:
        """The latest lines of the source debugger, newest first."""
        return [
            Verdict(*row)
            for row in self._rows(
                "select received_at, type, message_id, verdict, code, payload from ring"
                " where source_id = ? order by seq desc limit ?",
                (source_id, limit),
            )
        ]

    def tail(self, source_id: str, after: int | None, most: int, since: int) -> Tailed:
        """The lines of the debugger above the line `after` (None: all that are kept), the oldest first, of
        many the newest `most`; and how many events came since the minute of `since` (ms)."""
        rows = self._rows(
            "select seq, received_at, type, message_id, verdict, code, payload from ring"
            " where source_id = ? and seq > ? order by seq desc limit ?",
            (source_id, 0 if after is None else after, most),
        )
        counted = self.outcomes(source_id, since // 60_000 * 60_000, 1 << 62)
        counted.pop("rejected", 0)
        last = rows[0][0] if rows else after or 0
        return Tailed(last, sum(counted.values()), [Verdict(*row[1:]) for row in reversed(rows)])

    def counters(self, source_id: str, since: int = 0, until: int = 1 << 62) -> list[Count]:
        """Counters of the minutes that begin within [since, until), in milliseconds since the epoch."""
        return [
            Count(*row)
            for row in self._rows(
                "select minute, outcome, code, type, events from counts"
                " where source_id = ? and minute >= ? and minute < ? order by minute, outcome, code, type",
                (source_id, -(-since // 60_000), -(-until // 60_000)),
            )
        ]

    def outcomes(self, source_id: str, since: int, until: int) -> dict[str, int]:
        """Events by outcome (`accepted`, `duplicate`, `discarded`, `filtered`) of those minutes; of
        `rejected`, requests."""
        return dict(
            self._rows(
                "select outcome, sum(events) from counts where source_id = ? and minute >= ? and minute < ?"
                " group by outcome",
                (source_id, since // 60_000, -(-until // 60_000)),
            )
        )

    def refused(self, since: int, until: int) -> dict[str, int]:
        """Events discarded in those minutes, of all sources that have any."""
        return dict(
            self._rows(
                "select source_id, sum(events) from counts"
                " where minute >= ? and minute < ? and outcome = 'discarded' group by source_id",
                (since // 60_000, -(-until // 60_000)),
            )
        )

    def discards(self, source_id: str, code: str | None = None, limit: int = 10) -> list[Discard]:
        """Sampled discards, newest first."""
        return [
            Discard(*row)
            for row in self._rows(
                "select received_at, code, type, message_id, payload from discards"
                " where source_id = ?1 and (?2 is null or code = ?2) order by id desc limit ?3",
                (source_id, code, limit),
            )
        ]

    def failed(self, source_id: str, codes: Sequence[str], question: Question, *, other: bool) -> Totals:
        """Discarded events of these codes; with `other`, of all but these."""
        if not self._path.exists():
            return NONE
        listed = ", ".join("?" * len(codes))
        db = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
        try:
            condition = f"source_id = ? and code {'not in' if other else 'in'} ({listed})"
            return ask(db, "failed", question, condition, (source_id, *codes))
        finally:
            db.close()

    def _rows(self, sql: str, parameters: tuple[Any, ...]) -> list[Any]:
        if not self._path.exists():
            return []
        db = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
        try:
            return db.execute(sql, parameters).fetchall()
        finally:
            db.close()


def now_ms() -> int:
    return int(time.time() * 1000)


def _verdict(report: Report, at: int) -> tuple[str, str]:
    code = report.discards.get(at)
    if code is not None:
        return ("filtered" if code in FILTERED_AT_SOURCE else "discarded"), code
    return ("duplicate", "") if at in report.duplicates else ("accepted", "")


def _known(type: object) -> str:
    return type if isinstance(type, str) and type in EVENT_TYPES else "other"


def _type(event: Any, implied: str | None) -> str:
    return implied or _known(event.get("type") if isinstance(event, dict) else None)


def _about(event: Any, implied: str | None) -> tuple[str, str, str]:
    """Type, name and app version of an event that may be anything."""
    type = _type(event, implied)
    if not isinstance(event, dict):
        return type, "", ""
    name = event.get("event" if type == "track" else "name")
    context = event.get("context")
    app = context.get("app") if isinstance(context, dict) else None
    version = app.get("version") if isinstance(app, dict) else None
    return type, _short(name, 200), _short(version, 50)


def _short(text: object, most: int) -> str:
    return text[:most].encode("utf-8", "replace").decode() if isinstance(text, str) else ""


def _is_of(payload: bytes, user_ids: Set[str]) -> bool:
    try:
        event = orjson.loads(payload)
    except orjson.JSONDecodeError:
        event = None
    if isinstance(event, dict) and not WHOLE & event.keys():
        user_id = event.get("userId")
        return isinstance(user_id, str | int) and str(user_id) in user_ids
    text = payload.decode("utf-8", "replace")
    return any(id in text for id in user_ids)


def _line(report: Report, at: int) -> tuple[int, str, str | None]:
    event = report.events[at]
    message_id = report.ids.get(at)
    if message_id is None and isinstance(event, dict) and isinstance(event.get("messageId"), str):
        message_id = event["messageId"]
    return report.received_at, _type(event, report.type), message_id


_WRITE_KEY = re.compile(rb'"writeKey"\s*+:\s*+"(?:[^"\\]|\\.)*+"\s*+,?', re.DOTALL)


def _payload(report: Report, at: int) -> bytes:
    event = report.events[at]
    if isinstance(event, bytes):
        return _WRITE_KEY.sub(b"", event)[:PAYLOAD_BYTES]
    if isinstance(event, dict) and "writeKey" in event:
        event = {name: value for name, value in event.items() if name != "writeKey"}
    try:
        return orjson.dumps(event)[:PAYLOAD_BYTES]
    except TypeError:  # deeper than orjson writes, which is why it was discarded
        try:
            return msgspec.json.encode(event)[:PAYLOAD_BYTES]
        except RecursionError:
            return b'"nested too deep to show"'
