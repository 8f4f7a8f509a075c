"""The durable log between the front door and the destinations.

* `protocol`: what a log promises: `EventLog` (the writer) and `LogReader` (everybody else).
* `record`: what a record's body holds: the request as it came, and its envelope, compressed.
* `blank`: a record's body without the events of people who are deleted.
* `sqlite`: the log in SQLite files in the data folder, with its format and crash story.
* `memory`: the twin for tests.
* `cache`: one process's shared reads and decodes, so that many destinations of a source cost one.

Which log runs is decided here and nowhere else.
"""

from pathlib import Path

from onward.eventlog.protocol import EventLog, LogEraser, LogReader
from onward.eventlog.sqlite import SqliteEraser, SqliteLog, SqliteReader
from onward.settings import Settings


def open_writer(settings: Settings) -> EventLog:
    """The one writer; raises `LogUnavailable` (another writer, a damaged file) or OSError."""
    return SqliteLog(
        _folder(settings.data),
        slice_ms=settings.log_slice_seconds * 1000,
        retention_ms=int(settings.log_retention_hours * 3_600_000),
        retention_bytes=settings.log_retention_bytes,
        reserve_bytes=settings.disk_reserve_bytes,
    )


def open_reader(data: Path) -> LogReader:
    """A reader of the log in a data folder, which may still be empty."""
    return SqliteReader(_folder(data))


def open_eraser(data: Path) -> LogEraser:
    """What rewrites the log in a data folder, for deletions."""
    return SqliteEraser(_folder(data))


def _folder(data: Path) -> Path:
    return data / "log"
