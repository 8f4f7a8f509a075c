"""What was counted, in DATA/usage.db, written by the delivery processes and read by the Public API.

WAL; `synchronous=NORMAL`: a power cut may take the last commits, whole, and their cursors with them, so they
are counted again from the log. Each process writes the rows of the sources it owns; those of a workspace are
added to and merged, by whoever has something new, in one transaction.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import zstandard

from onward.eventlog.protocol import Position
from onward.metering import query
from onward.metering.database import open_database
from onward.metering.health import SourceDay
from onward.metering.outcomes import Inflow, Window
from onward.metering.query import Question, Totals
from onward.metering.sketch import Sketch

KINDS = ("identified", "anonymous", "anonymous_identified")
VOLUME = ("source_id", "event_type", "event_name", "app_version")
MINUTES_KEPT = 3 * query.DAY
"""Then volume is kept by hours,"""
HOURS_KEPT = 31 * query.DAY
"""then by days,"""
DAYS_KEPT = 400 * query.DAY
"""then not at all."""
EPOCH = date(1970, 1, 1).toordinal()


class Volume(msgspec.Struct, frozen=True, array_like=True, gc=False):
    minute: int
    event_type: str
    event_name: str
    app_version: str


class Counted(msgspec.Struct):
    """What was counted of one source since the last commit."""

    cursor: Position
    volume: dict[Volume, int] = msgspec.field(default_factory=dict)
    people: dict[int, dict[str, Sketch]] = msgspec.field(default_factory=dict)
    """Sketches by month and kind; those that did not change are left out."""
    last_day: int = 0


class Calls(msgspec.Struct, frozen=True):
    day: int
    count: int


class People(msgspec.Struct, frozen=True):
    day: int
    identified: int
    anonymous: int
    anonymous_identified: int


class UsageStore:
    def __init__(self, data: Path) -> None:
        self._lock = threading.Lock()
        self._db = open_database(data, "usage.db", "usage.sql")

    def cursor(self, source_id: str) -> Position:
        with self._lock:
            row = self._db.execute(
                'SELECT "offset", seq FROM meter WHERE source_id = ?', (source_id,)
            ).fetchone()
        return Position(*row) if row else Position()

    def sketches(self, scope: str, month: int) -> dict[str, Sketch]:
        """All kinds; empty ones where nothing is stored."""
        with self._lock:
            return self._sketches(scope, month)

    def commit(self, counted: Mapping[str, tuple[str, Counted]]) -> None:
        """`source id → (workspace id or '', what was counted)`, in one transaction."""
        with self._transaction() as db:
            for source_id, (workspace_id, each) in counted.items():
                db.execute(
                    "INSERT OR REPLACE INTO meter VALUES (?, ?, ?)",
                    (source_id, each.cursor.offset, each.cursor.seq),
                )
                db.executemany(
                    "INSERT INTO volume VALUES (?, ?, ?, ?, ?, ?)"
                    " ON CONFLICT DO UPDATE SET count = count + excluded.count",
                    [(source_id, *msgspec.structs.astuple(key), n) for key, n in each.volume.items()],
                )
                days: dict[int, int] = {}
                for key, number in each.volume.items():
                    day = key.minute // query.DAY
                    days[day] = days.get(day, 0) + number
                for scope in filter(None, (source_id, workspace_id)):
                    db.executemany(
                        "INSERT INTO calls VALUES (?, ?, ?)"
                        " ON CONFLICT DO UPDATE SET count = count + excluded.count",
                        [(scope, day, number) for day, number in days.items()],
                    )
                for month, changed in each.people.items():
                    self._write_people(source_id, month, changed, each.last_day, merge=False)
                    if workspace_id:
                        self._write_people(workspace_id, month, changed, each.last_day, merge=True)

    def prune(self, now: int) -> None:
        """Forget what is too old, and put minutes together. `now` in ms."""
        minute = now // 60_000
        hours, days = (minute - MINUTES_KEPT) // 60 * 60, (minute - HOURS_KEPT) // query.DAY * query.DAY
        with self._transaction() as db:
            db.execute("DELETE FROM volume WHERE minute < ?", (minute - DAYS_KEPT,))
            query.roll_up(db, "volume", VOLUME, 0, hours, 60)
            query.roll_up(db, "volume", VOLUME, 0, days, query.DAY)
            for table in ("calls", "people"):
                db.execute(f"DELETE FROM {table} WHERE day < ?", ((minute - DAYS_KEPT) // query.DAY,))
            # A month's sketches are needed as long as something of it may still be counted.
            db.execute("DELETE FROM sketch WHERE month < ?", ((minute - 2 * HOURS_KEPT) // query.DAY,))

    def volume(self, source_ids: Sequence[str], question: Question) -> Totals:
        """Accepted events of these sources."""
        if not source_ids:
            return query.NONE
        with self._lock:
            listed = ", ".join("?" * len(source_ids))
            return query.ask(self._db, "volume", question, f"source_id IN ({listed})", source_ids)

    def inflow(self, source_id: str, window: Window) -> Inflow:
        """Accepted events of a source within a window and since."""
        with self._lock:
            self._db.execute("BEGIN")
            try:
                within, since = self._db.execute(
                    "SELECT coalesce(sum(iif(minute < ?3, count, 0)), 0),"
                    " coalesce(sum(iif(minute < ?3, 0, count)), 0)"
                    " FROM volume WHERE source_id = ?1 AND minute >= ?2",
                    (source_id, window.start, window.end),
                ).fetchone()
                row = self._db.execute("SELECT seq FROM meter WHERE source_id = ?", (source_id,)).fetchone()
            finally:
                self._db.execute("COMMIT")
        return Inflow(within, since, row[0] if row else 0)

    def last_day(self, now: int) -> dict[str, SourceDay]:
        """Of each source with events in the last 25 hours. `now` in ms."""
        minute = now // 60_000
        with self._lock:
            rows = self._db.execute(
                "SELECT source_id, sum(iif(minute > ?1 - 60, count, 0)),"
                " count(DISTINCT iif(minute > ?1 - 60, NULL, minute / 60)), max(minute)"
                " FROM volume WHERE minute > ?1 - 1500 GROUP BY source_id",
                (minute,),
            ).fetchall()
        return {id: SourceDay(hour, busy, last * 60_000) for id, hour, busy, last in rows}

    def calls(self, scopes: Sequence[str], first: int, last: int) -> dict[str, list[Calls]]:
        """By scope: accepted events by day, of the days from `first` to `last` that had any."""
        return {
            scope: [Calls(*row) for row in rows]
            for scope, rows in self._days("day, count", "calls", scopes, first, last).items()
        }

    def people(self, scopes: Sequence[str], first: int, last: int) -> dict[str, list[People]]:
        """By scope: since the month's beginning, at the end of the days on which someone new came."""
        columns = f"day, {', '.join(KINDS)}"
        return {
            scope: [People(*row) for row in rows]
            for scope, rows in self._days(columns, "people", scopes, first, last).items()
        }

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _days(
        self, columns: str, table: str, scopes: Sequence[str], first: int, last: int
    ) -> dict[str, list[tuple[int, ...]]]:
        found: dict[str, list[tuple[int, ...]]] = {scope: [] for scope in scopes}
        with self._lock:
            for scope, rows in found.items():
                rows += self._db.execute(
                    f"SELECT {columns} FROM {table} WHERE scope = ? AND day BETWEEN ? AND ? ORDER BY day",
                    (scope, first, last),
                )
        return found

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise

    def _sketches(self, scope: str, month: int) -> dict[str, Sketch]:
        rows = self._db.execute(
            "SELECT kind, registers FROM sketch WHERE scope = ? AND month = ?", (scope, month)
        )
        found = {kind: Sketch(zstandard.decompress(registers)) for kind, registers in rows}
        return {kind: found.get(kind) or Sketch() for kind in KINDS}

    def _write_people(
        self, scope: str, month: int, changed: Mapping[str, Sketch], last_day: int, *, merge: bool
    ) -> None:
        """With `merge`, what is stored and what changed; else `changed` is all there is of its kinds."""
        stored = self._sketches(scope, month)
        for kind, sketch in changed.items():
            if merge:
                before = bytes(stored[kind].registers)
                stored[kind].merge(sketch)
                if bytes(stored[kind].registers) == before:
                    continue
            else:
                stored[kind] = sketch
            packed = zstandard.compress(bytes(stored[kind].registers), 1)
            self._db.execute(
                "INSERT OR REPLACE INTO sketch VALUES (?, ?, ?, ?)", (scope, month, kind, packed)
            )
        day = min(last_day, last_day_of(month))
        numbers = [stored[kind].estimate() for kind in KINDS]
        self._db.execute("INSERT OR REPLACE INTO people VALUES (?, ?, ?, ?, ?)", (scope, day, *numbers))


def month_of(day: int) -> int:
    """The first day of the month of a day (days since the epoch, UTC)."""
    return date.fromordinal(EPOCH + day).replace(day=1).toordinal() - EPOCH


def last_day_of(month: int) -> int:
    """The last day of the month that begins with the day `month`."""
    first = date.fromordinal(EPOCH + month)
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return following.toordinal() - EPOCH - 1


def day_of(ms: int) -> int:
    return ms // 86_400_000


def at(day: int) -> datetime:
    """When a day begins."""
    return datetime.fromordinal(EPOCH + day).replace(tzinfo=UTC)
