"""The files of the SQLite log: their names, how one comes to be, how one goes.

`{first offset}-{start in ms}.db`, both padded, so that names sort as their records do and a reader
finds the slice of an offset or of a time without opening any. A name is never used twice. A slice is
built under a name ending in `.new` and renamed when it is complete and on disk; one is deleted by
unlinking the `.db` first, so what a crash leaves in either case is a file that `tidy` may remove.

No file of a slice is ever opened but through SQLite: closing any other descriptor of it would drop the
process's POSIX locks on it.
"""

import os
import re
import sqlite3
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

FORMAT = 1
PAGE = 4096
"""Larger pages were measured: 10 KB bodies then waste a third of the file and commits cost more."""

_SCHEMA = files(__package__).joinpath("slice.sql").read_text()
_SIDE_FILES = ("-wal", "-shm")
_NAME = re.compile(r"(\d{16})-(\d{13})\.db")


class Slice(NamedTuple):
    first_offset: int
    started_at: int

    @property
    def name(self) -> str:
        return f"{self.first_offset:016d}-{self.started_at:013d}.db"


class SourceEnd(NamedTuple):
    """A row of a slice's `source` table."""

    id: int
    source_id: str
    offset: int
    seq: int


def listing(folder: Path) -> list[Slice]:
    """The slices in a folder in order; none if there is no such folder."""
    try:
        names = [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    matches = filter(None, map(_NAME.fullmatch, names))
    return sorted(Slice(int(match[1]), int(match[2])) for match in matches)


def create(folder: Path, new: Slice, sources: Iterable[SourceEnd]) -> None:
    """Make an empty slice that carries the sources' ends; it is whole and on disk, or not there."""
    path = folder / f"{new.name}.new"
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute(f"PRAGMA page_size = {PAGE}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")  # the whole file is synced once, below
        connection.executescript(f"BEGIN; {_SCHEMA}")
        connection.execute("INSERT INTO slice VALUES (?, ?, ?, 0)", (FORMAT, *new))
        connection.executemany("INSERT INTO source VALUES (?, ?, ?, ?)", sources)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
    _sync(path)
    path.rename(folder / new.name)
    _sync(folder)


def open_to_write(folder: Path, which: Slice, checkpoint_bytes: int) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(folder / which.name))}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {checkpoint_bytes // PAGE}")
    connection.execute(f"PRAGMA journal_size_limit = {checkpoint_bytes * 4}")
    connection.execute("PRAGMA secure_delete = OFF")
    return connection


def open_to_read(folder: Path, which: Slice) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(folder / which.name))}?mode=ro",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
    )


def size(folder: Path, which: Slice) -> int:
    """Bytes of a slice on disk, its write-ahead log included."""
    return sum(_size(folder / f"{which.name}{suffix}") for suffix in ("", *_SIDE_FILES))


def delete(folder: Path, which: Slice) -> int:
    """Unlink a slice; bytes freed (once the readers that hold it have let go)."""
    freed = size(folder, which)
    for suffix in ("", *_SIDE_FILES):
        (folder / f"{which.name}{suffix}").unlink(missing_ok=True)
    _sync(folder)
    return freed


def tidy(folder: Path) -> None:
    """Remove what a crash left: unfinished slices, and side files whose slice is gone."""
    for path in list(folder.iterdir()):
        stem, dot, rest = path.name.partition(".db")
        orphan = rest in _SIDE_FILES and not path.with_name(stem + dot).exists()
        if orphan or rest.startswith(".new"):
            path.unlink(missing_ok=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
