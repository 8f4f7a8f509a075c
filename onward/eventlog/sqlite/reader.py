"""Reading the SQLite log, from any process, while it grows at one end and is pruned at the other.

* Every query is one short read transaction, so a reader never stops a checkpoint for long and never
  keeps the writer's log of changes from being reused.
* The newest slice says when it is sealed, and the writer seals it only after its successor exists: a
  reader that comes to the end of a sealed slice looks for the next. Should the seal be missing (a crash
  or a full disk between the two), the folder is listed every second anyway.
* A slice deleted under a reader stays readable until the next listing, which lets go of it and so of
  its disk space; one deleted before it is opened counts as pruned.
* A damaged slice that is not the newest is reported and then treated as pruned: its events are missing,
  visibly (the next record's `first_seq` jumps), and every later one is still delivered.

A reader may be used from several threads; one lock orders them. Who wants to read in parallel opens
several readers.
"""

import bisect
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import structlog

from onward.eventlog.protocol import LogUnavailable, Position, Record
from onward.eventlog.sqlite import slices
from onward.eventlog.sqlite.slices import Slice

RELIST_SECONDS = 1.0
OPEN_SLICES = 8
"""Connections kept: destinations far behind read old slices, each costs two descriptors and a cache."""

_READ = """
    SELECT "offset", received_at, first_seq, count, body FROM record
    WHERE source = (SELECT id FROM source WHERE source_id = ?) AND "offset" > ?
    ORDER BY "offset" LIMIT ?"""
_SCAN = """
    SELECT record."offset", source_id, received_at, first_seq, count, body
    FROM record CROSS JOIN source ON source.id = record.source
    WHERE record."offset" > ? ORDER BY record."offset" LIMIT ?"""
_HEADS = """
    SELECT source_id, coalesce(last."offset", source."offset"),
           coalesce(last.first_seq + last.count, source.seq)
    FROM source LEFT JOIN record AS last ON last."offset" = (
        SELECT "offset" FROM record WHERE source = source.id ORDER BY "offset" DESC LIMIT 1)"""
_VERSION = "PRAGMA data_version"  # another number after every commit that this connection did not make
_SEALED = "SELECT sealed FROM slice"
_CARRIED = 'SELECT "offset" FROM source WHERE source_id = ?'
_AT_OR_AFTER = 'SELECT received_at FROM record WHERE "offset" >= ? ORDER BY "offset" LIMIT 1'
_LAST = 'SELECT "offset" FROM record ORDER BY "offset" DESC LIMIT 1'

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class _Lost(Exception):
    """The slice was deleted or is damaged; it is off the list now, so start again."""


class SqliteReader:
    """`LogReader` over the folder of an SQLite log; an absent folder is an empty log."""

    def __init__(self, folder: Path, relist_seconds: float = RELIST_SECONDS) -> None:
        self._folder = folder
        self._relist_seconds = relist_seconds
        self._lock = threading.Lock()
        self._slices: list[Slice] = []
        self._damaged: set[Slice] = set()
        self._open: OrderedDict[Slice, sqlite3.Connection] = OrderedDict()
        self._version: int | None = None
        self._next_listing = 0.0
        self._closed = False

    def read(self, source_id: str, after: int, limit: int) -> list[Record]:
        return self._settled(lambda: self._read(source_id, after, limit))

    def scan(self, after: int, limit: int) -> list[Record]:
        return self._settled(lambda: self._scan(after, limit))

    def heads(self) -> dict[str, Position]:
        return self._settled(self._heads)

    def seek(self, source_id: str, received_at: int) -> Position:
        return self._settled(lambda: self._seek(source_id, received_at))

    def changed(self) -> bool:
        return self._settled(self._changed)

    def refresh(self) -> None:
        """List the folder now, so that slices just made or deleted are known."""
        with self._lock:
            self._list()

    def close(self) -> None:
        with self._lock:
            while self._open:
                self._open.popitem()[1].close()
            self._closed = True

    # Everything below runs under the lock.

    def _settled(self, attempt: Callable[[], T]) -> T:
        """The result of an attempt during which no slice was lost."""
        with self._lock:
            if time.monotonic() >= self._next_listing:
                self._list()
            while True:
                try:
                    return attempt()
                except _Lost:
                    continue

    def _read(self, source_id: str, after: int, limit: int) -> list[Record]:
        def fetch(where: Slice, after: int, limit: int) -> list[Record]:
            rows = self._query(where, _READ, (source_id, after, limit))
            return [Record(offset, source_id, *rest) for offset, *rest in rows]

        return self._collect(after, limit, fetch, lambda at, after: self._skip_to(at, source_id, after))

    def _scan(self, after: int, limit: int) -> list[Record]:
        def fetch(where: Slice, after: int, limit: int) -> list[Record]:
            return [Record(*row) for row in self._query(where, _SCAN, (after, limit))]

        return self._collect(after, limit, fetch, lambda at, after: at)

    def _collect(
        self,
        after: int,
        limit: int,
        fetch: Callable[[Slice, int, int], list[Record]],
        skip: Callable[[int, int], int],
    ) -> list[Record]:
        """Up to `limit` records above `after`, fetched from one slice after the other.

        A slice is left only if it was known to be complete before it was read: between reading the end
        of the newest slice and finding it sealed, the writer may have added to it.
        """
        found: list[Record] = []
        at = self._slice_of(after + 1)
        while at is not None and len(found) < limit:
            here = self._slices[at]
            complete = at + 1 < len(self._slices)
            part = fetch(here, after, limit - len(found))
            found += part
            after = part[-1].offset if part else after
            if complete:
                at = at + 1 if part else skip(at + 1, after)
            elif len(found) < limit:
                at = self._relisted(here) if self._is_sealed(here) else None
        return found

    def _heads(self) -> dict[str, Position]:
        newest = self._newest()
        if newest is None:
            return {}
        rows = self._query(newest, _HEADS)
        return {source_id: Position(offset, seq) for source_id, offset, seq in rows}

    def _seek(self, source_id: str, received_at: int) -> Position:
        # The head is taken first: a record that arrives now is then found by the read.
        head = self._heads().get(source_id, Position())
        first = self._read(source_id, self._offset_at(received_at) - 1, 1)
        return Position(first[0].offset - 1, first[0].first_seq) if first else head

    def _offset_at(self, received_at: int) -> int:
        """An offset with everything received earlier below it and the rest not; 0 in an empty log."""
        if not self._slices:
            return 0
        # Records of one millisecond may stand on both sides of a slice's start.
        at = max(0, bisect.bisect_left([each.started_at for each in self._slices], received_at) - 1)
        where = self._slices[at]
        last = self._query(where, _LAST)
        low, high = where.first_offset, last[0][0] + 1 if last else where.first_offset
        while low < high:
            middle = (low + high) // 2
            ((time_there,),) = self._query(where, _AT_OR_AFTER, (middle,))
            if time_there >= received_at:
                high = middle
            else:
                low = middle + 1
        return low

    def _changed(self) -> bool:
        if self._slices and self._query(self._slices[-1], _VERSION)[0][0] == self._version:
            return False
        newest = self._newest()
        if newest is None:
            return False
        self._version = self._query(newest, _VERSION)[0][0]
        return True

    def _slice_of(self, offset: int) -> int | None:
        """Where in the list to look for an offset: the last slice that starts at or before it."""
        if not self._slices:
            self._list()
        if not self._slices:
            return None
        return max(0, bisect.bisect_right(self._slices, offset, key=lambda each: each.first_offset) - 1)

    def _is_sealed(self, where: Slice) -> bool:
        return bool(self._query(where, _SEALED)[0][0])

    def _relisted(self, sealed: Slice) -> int | None:
        """Where in a new list, which has its successor, the slice is, or the next if it is gone."""
        self._list()
        at = bisect.bisect_left(self._slices, sealed)
        return at if self._slices[at:] not in ([], [sealed]) else None

    def _skip_to(self, at: int, source_id: str, after: int) -> int:
        """The first slice from `at` on that can hold a record of the source above `after`.

        A slice knows each source's end before it, so a source that was silent for a week costs a
        binary search and not a visit to every slice.
        """

        def has_more_before(following: int) -> bool:
            carried = self._query(self._slices[following], _CARRIED, (source_id,))
            return bool(carried and carried[0][0] > after)

        return bisect.bisect_left(range(at + 1, len(self._slices)), True, key=has_more_before) + at

    def _newest(self) -> Slice | None:
        if not self._slices:
            self._list()
        while self._slices:
            newest = self._slices[-1]
            if not self._is_sealed(newest) or self._relisted(newest) is None:
                return newest
        return None

    def _list(self) -> None:
        listed = slices.listing(self._folder)
        newest = self._slices[-1:]
        self._slices = [each for each in listed if each not in self._damaged]
        for gone in self._open.keys() - set(self._slices):
            self._open.pop(gone).close()
        if self._slices[-1:] != newest:
            self._version = None
        self._next_listing = time.monotonic() + self._relist_seconds

    def _query(self, where: Slice, sql: str, values: tuple[object, ...] = ()) -> list[Any]:
        try:
            return self._connection(where).execute(sql, values).fetchall()
        except sqlite3.DatabaseError as error:
            self._lose(where, error)
            raise _Lost from error

    def _connection(self, where: Slice) -> sqlite3.Connection:
        connection = self._open.get(where)
        if connection is None:
            if self._closed:
                raise ValueError(f"{self._folder}: this reader of the event log is closed")
            connection = self._open[where] = slices.open_to_read(self._folder, where)
            self._version = None  # it means nothing to another connection
            if len(self._open) > OPEN_SLICES:
                self._open.popitem(last=False)[1].close()
        else:
            self._open.move_to_end(where)
        return connection

    def _lose(self, where: Slice, error: sqlite3.DatabaseError) -> None:
        """Take a slice that failed a query off the list, or raise what else is the matter."""
        path = self._folder / where.name
        connection = self._open.pop(where, None)
        if connection:
            connection.close()
        if not path.exists():
            return self._list()
        code = error.sqlite_errorcode & 0xFF
        if code not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise OSError(f"{path}: {error}") from error
        if self._slices[-1:] == [where]:
            raise LogUnavailable(damaged(path, error)) from error
        _log.error(
            "event log slice is damaged, its unread records are skipped", file=str(path), error=str(error)
        )
        self._damaged.add(where)
        return self._list()


def damaged(path: Path, error: Exception) -> str:
    return (
        f"{path} is damaged ({error}); move it and the files beside it with the same name out of the "
        "folder to go on without the records in it"
    )
