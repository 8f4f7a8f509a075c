"""Writing the SQLite log: group commit, roll-over, retention. The crash story is the package's."""

import errno
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, pairwise
from pathlib import Path

import structlog

from onward.eventlog.protocol import Draft, LogFull, LogUnavailable, Position, Record
from onward.eventlog.sqlite import slices
from onward.eventlog.sqlite.lock import WriterLock
from onward.eventlog.sqlite.reader import SqliteReader, damaged
from onward.eventlog.sqlite.slices import Slice, SourceEnd

HOUR = 3_600_000
GIB = 1 << 30
SLICE_BYTES = 4 * GIB
"""A slice this large is followed by the next even if its time is not over."""
SLICES_PER_LIMIT = 8
"""A size limit is kept to within a slice, so with one, slices are at most this fraction of it."""
CHECKPOINT_BYTES = 2 << 20
"""WAL size at which a commit also copies it into the file: that commit takes 1 to 3 ms instead of 0.2;
from 1 to 16 MiB the CPU time is the same and the stall grows with the size."""
SPACE_CHECK_SECONDS = 0.1
SEAL_WAIT_MS = 50
"""How long a roll-over waits for readers to let it empty the old slice's WAL; else that stays as it is."""
ROWS = 64
"""Rows in one INSERT. Each step into SQLite gives up the interpreter lock and has to win it back from a
busy event loop, so a group that fits is one statement, and that statement its own transaction."""

_log = structlog.get_logger(__name__)


class SqliteLog:
    """`EventLog` in a folder: the one writer of it, and a reader.

    `slice_ms`, `retention_ms`: in the time of `Draft.received_at`. `retention_bytes` and
    `reserve_bytes` as in `Settings`. `clock` gives seconds since the epoch and only makes sure that no
    offset is used twice. Raises `LogUnavailable` if another process keeps writing for `lock_timeout`
    seconds, or if the newest slice is damaged.
    """

    def __init__(
        self,
        folder: Path,
        *,
        slice_ms: int = HOUR,
        retention_ms: int = 168 * HOUR,
        retention_bytes: int | None = None,
        reserve_bytes: int = GIB,
        checkpoint_bytes: int = CHECKPOINT_BYTES,
        lock_timeout: float = 10.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._slice_ms = slice_ms
        self._slice_bytes = min(SLICE_BYTES, (retention_bytes or GIB * GIB) // SLICES_PER_LIMIT)
        self._retention_ms = retention_ms
        self._retention_bytes = retention_bytes
        self._reserve_bytes = reserve_bytes
        self._checkpoint_bytes = checkpoint_bytes
        self._clock = clock
        self._space_known_until = 0.0
        self._closed = False
        self._mutex = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._active: Slice | None = None
        self._active_bytes = 0
        self._active_is_empty = True
        self._ends: dict[str, SourceEnd] = {}
        self._next_offset = 0
        self._last_received = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = WriterLock(folder, lock_timeout)
        self._reader = SqliteReader(folder)
        try:
            with self._failures():
                self._load()
        except BaseException:
            self.close()
            raise

    # Reading

    def read(self, source_id: str, after: int, limit: int) -> list[Record]:
        return self._reader.read(source_id, after, limit)

    def scan(self, after: int, limit: int) -> list[Record]:
        return self._reader.scan(after, limit)

    def heads(self) -> dict[str, Position]:
        return self._reader.heads()

    def seek(self, source_id: str, received_at: int) -> Position:
        return self._reader.seek(source_id, received_at)

    def changed(self) -> bool:
        return self._reader.changed()

    def close(self) -> None:
        with self._mutex:
            if self._closed:
                return
            self._closed = True
            self._reader.close()
            self._disconnect()
            self._lock.release()

    # Writing

    def append(self, drafts: Sequence[Draft]) -> list[Position]:
        if not drafts:
            return []
        with self._mutex:
            self._check_open()
            self._check_space()
            with self._failures():
                return self._append(drafts)

    def prune(self, now: int) -> int:
        with self._mutex:
            self._check_open()
            freed = self._delete_expired(now)
            try:
                with self._failures():
                    self._load_if_needed()
                    if self._active_is_due(now):
                        self._roll(max(now, self._last_received))
                        freed += self._delete_expired(now)
            except LogFull as error:  # what was freed is; the rest goes when a new slice can be made
                _log.warning("event log slice could not be sealed to free it", error=str(error))
            slices.tidy(self._folder)
            self._reader.refresh()
            return freed

    # Everything below runs under the mutex.

    def _append(self, drafts: Sequence[Draft]) -> list[Position]:
        connection = self._writable(max(self._last_received, drafts[0].received_at))
        offset, received_at, size = self._next_offset, self._last_received, 0
        ends: dict[str, SourceEnd] = {}
        new: list[SourceEnd] = []
        rows: list[tuple[object, ...]] = []
        positions = []
        for draft in drafts:
            end = ends.get(draft.source_id) or self._ends.get(draft.source_id)
            if end is None:
                end = SourceEnd(len(self._ends) + len(new) + 1, draft.source_id, 0, 0)
                new.append(end)
            received_at = max(received_at, draft.received_at)
            rows.append((offset, end.id, received_at, end.seq, draft.count, draft.body))
            seq = end.seq + draft.count
            ends[draft.source_id] = SourceEnd(end.id, draft.source_id, offset, seq)
            positions.append(Position(offset, seq))
            size += len(draft.body)
            offset += 1
        _insert(connection, new, rows)
        self._ends.update(ends)
        self._next_offset, self._last_received = offset, received_at
        self._active_bytes += size
        self._active_is_empty = False
        return positions

    def _writable(self, received_at: int) -> sqlite3.Connection:
        """The connection to the slice that takes a record received then."""
        self._load_if_needed()
        over = self._active_bytes >= self._slice_bytes or (
            self._active is not None and received_at >= self._active.started_at + self._slice_ms
        )
        if self._active is None or (over and not self._active_is_empty):
            self._roll(received_at)
        assert self._connection
        return self._connection

    def _load_if_needed(self) -> None:
        if self._active is None or self._connection is None:
            self._load()

    def _load(self) -> None:
        """Find the end of the log on disk: at start, and after the disk refused something."""
        slices.tidy(self._folder)
        self._reader.refresh()
        listed = slices.listing(self._folder)
        self._active = listed[-1] if listed else None
        self._ends = {}
        self._last_received = 0
        self._active_bytes = 0
        last_offset = 0
        if self._active:
            last_offset = self._load_active(self._active)
            for before in listed[-2:-1]:  # the last writer may have died before it did
                self._seal(slices.open_to_write(self._folder, before, self._checkpoint_bytes))
        # The clock's part: also records that a reader saw and a power cut then took, and slices that
        # somebody moved away, had smaller offsets; so no cursor is ever beyond the end of the log.
        self._next_offset = max(last_offset + 1, int(self._clock() * 1000) << 10)

    def _load_active(self, active: Slice) -> int:
        connection = self._connection = slices.open_to_write(self._folder, active, self._checkpoint_bytes)
        ((found,),) = connection.execute("SELECT format FROM slice")
        if found != slices.FORMAT:
            raise LogUnavailable(
                f"{self._folder / active.name} has format {found}, this version writes {slices.FORMAT}; "
                "run the version that wrote it, or move it out of the folder to go on without its records"
            )
        connection.execute("UPDATE slice SET sealed = 0 WHERE sealed")
        heads = self._reader.heads()
        ids = dict(connection.execute("SELECT source_id, id FROM source"))
        self._ends = {
            source_id: SourceEnd(ids[source_id], source_id, head.offset, head.seq)
            for source_id, head in heads.items()
        }
        last = connection.execute(
            'SELECT "offset", received_at FROM record ORDER BY "offset" DESC LIMIT 1'
        ).fetchone()
        self._active_bytes = slices.size(self._folder, active)
        self._active_is_empty = last is None
        self._last_received = last[1] if last else active.started_at
        return int(last[0]) if last else active.first_offset - 1

    def _roll(self, started_at: int) -> None:
        """Begin the next slice, then seal the one before; the order is the crash story's."""
        before = self._connection if self._active else None
        following = Slice(self._next_offset, started_at)
        slices.create(self._folder, following, self._ends.values())
        self._connection = slices.open_to_write(self._folder, following, self._checkpoint_bytes)
        self._active, self._active_bytes, self._active_is_empty = following, 0, True
        self._last_received = started_at
        if before:
            self._seal(before)
        self._reader.refresh()

    def _seal(self, connection: sqlite3.Connection) -> None:
        """Tell readers of a slice that a newer one exists, and close it.

        If that fails (a full disk), nothing is lost: they find the new slice at their next listing.
        """
        try:
            connection.execute(f"PRAGMA busy_timeout = {SEAL_WAIT_MS}")
            connection.execute("UPDATE slice SET sealed = 1 WHERE NOT sealed")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            _log.warning("event log slice could not be sealed", folder=str(self._folder), error=str(error))
        finally:
            connection.close()

    def _active_is_due(self, now: int) -> bool:
        """Whether the active slice has to be sealed, so that retention can reach it."""
        if self._active is None or self._active_is_empty:
            return False
        return now >= self._active.started_at + self._slice_ms or self._over_size() > 0

    def _over_size(self) -> int:
        if self._retention_bytes is None:
            return 0
        listed = slices.listing(self._folder)
        return sum(slices.size(self._folder, each) for each in listed) - self._retention_bytes

    def _delete_expired(self, now: int) -> int:
        """Delete the oldest sealed slices that are too old, and as many more as the size limit asks."""
        listed = slices.listing(self._folder)
        over = self._over_size()
        freed = 0
        for each, following in pairwise(listed):
            if following.started_at > now - self._retention_ms and freed >= over:
                break
            freed += slices.delete(self._folder, each)
        return freed

    def _check_space(self) -> None:
        now = time.monotonic()
        if now < self._space_known_until:
            return
        free = shutil.disk_usage(self._folder).free
        if free < self._reserve_bytes:
            raise LogFull(
                f"{self._folder}: {free >> 20} MiB free, {self._reserve_bytes >> 20} MiB are the reserve; "
                "free disk space or lower log_retention_bytes"
            )
        self._space_known_until = now + SPACE_CHECK_SECONDS

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError(f"{self._folder}: this event log is closed")

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """After any failure the transaction is undone, and what comes next starts from what is on disk."""
        try:
            yield
        except sqlite3.Error as error:
            self._disconnect()
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # absent if the call itself was wrong
            if code == sqlite3.SQLITE_FULL:
                raise LogFull(f"{self._folder}: the disk is full") from error
            if self._active and code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise LogUnavailable(damaged(self._folder / self._active.name, error)) from error
            raise OSError(f"{self._folder}: {error}") from error
        except OSError as error:
            self._disconnect()
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise LogFull(f"{self._folder}: the disk is full") from error
            raise
        except BaseException:
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None


def _insert(
    connection: sqlite3.Connection, sources: Sequence[SourceEnd], rows: Sequence[tuple[object, ...]]
) -> None:
    """Write new sources and records in one transaction, which is one fsync."""
    if len(rows) <= ROWS and not sources:
        connection.execute(_insert_sql(len(rows)), tuple(chain.from_iterable(rows)))
        return
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO source VALUES (?, ?, ?, ?)", sources)
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        connection.execute(_insert_sql(len(part)), tuple(chain.from_iterable(part)))
    connection.execute("COMMIT")


def _insert_sql(rows: int) -> str:
    return "INSERT INTO record VALUES " + ", ".join(["(?, ?, ?, ?, ?, ?)"] * rows)
