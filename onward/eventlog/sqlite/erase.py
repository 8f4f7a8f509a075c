"""Rewriting records where they stand, for deletions: the one exception to records that never change.

A body is replaced in its row, in a transaction of SQLite's, so readers of any process see it as it was or as
it is, and what was there is overwritten with zeros (`secure_delete`). The newest slice may be rewritten too:
its writer waits for a transaction of a few milliseconds.

What if the process dies here? SQLite rolls back, and whoever erases begins again where it knows it was. A
slice that retention deletes meanwhile needs no erasing.

Beyond SQLite's reach: copies that a file system or a backup keeps, and what a reader has in memory.
"""

import sqlite3
from bisect import bisect_right
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from onward.eventlog.protocol import Record
from onward.eventlog.sqlite import slices
from onward.eventlog.sqlite.reader import SqliteReader
from onward.eventlog.sqlite.slices import Slice
from onward.eventlog.sqlite.writer import CHECKPOINT_BYTES

WAIT_MS = 1_000
"""For readers to let go of a WAL that is to be emptied."""


class SqliteEraser:
    """`LogEraser` on the folder of an SQLite log. For one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._reader = SqliteReader(folder)
        self._touched: set[Slice] = set()

    def scan(self, after: int, limit: int) -> list[Record]:
        return self._reader.scan(after, limit)

    def replace(self, bodies: Sequence[tuple[int, bytes]]) -> None:
        listed = slices.listing(self._folder)
        firsts = [each.first_offset for each in listed]

        def place(body: tuple[int, bytes]) -> int:
            return bisect_right(firsts, body[0]) - 1

        for at, group in groupby(sorted(bodies), key=place):
            if at >= 0:
                self._replace(listed[at], [(body, offset) for offset, body in group])

    def finish(self) -> None:
        """Empty the WALs of what was rewritten, where old bodies may still stand."""
        for each in sorted(self._touched):
            try:
                connection = slices.open_to_write(self._folder, each, CHECKPOINT_BYTES)
            except sqlite3.OperationalError:
                continue  # retention was faster
            try:
                connection.execute(f"PRAGMA busy_timeout = {WAIT_MS}")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except sqlite3.OperationalError:
                if (self._folder / each.name).exists():
                    raise
            finally:
                connection.close()
        self._touched.clear()

    def close(self) -> None:
        self._reader.close()

    def _replace(self, where: Slice, rows: Sequence[tuple[bytes, int]]) -> None:
        path = self._folder / where.name
        try:
            connection = slices.open_to_write(self._folder, where, CHECKPOINT_BYTES)
        except sqlite3.OperationalError:
            if path.exists():
                raise
            return
        try:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany('UPDATE record SET body = ? WHERE "offset" = ?', rows)
            connection.execute("COMMIT")
            self._touched.add(where)
        except sqlite3.OperationalError:
            if path.exists():
                raise
        finally:
            connection.close()
