"""The seam of the event log: append durably, read one source in order, forget what is old.

Invariants that every implementation keeps (`tests/conformance/test_eventlog.py`):

* `append` returns only when every draft is on disk, and appends all of them or none.
* Offsets grow strictly over the whole log and are never used twice, also over restarts.
* Within a source, `first_seq` counts accepted events without a gap: a record's `first_seq` is the
  previous record's `first_seq + count`. So `head.seq - position.seq` is exactly what a reader at
  `position` has still to read, and a hole left by retention has a known number of events.
* A reader sees a record only when it is durable, and sees a source's records in offset order.
* A record never changes, but for the events in it of people who are deleted, in whose place stands null
  (`LogEraser`); retention removes whole time slices, oldest first.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class Draft(msgspec.Struct, frozen=True):
    """A record about to be appended."""

    source_id: str
    received_at: int
    """Milliseconds since the epoch. Within a log it never decreases (the writer clamps it)."""
    count: int
    """Accepted events in the body."""
    body: bytes
    """Opaque to the log; `onward.eventlog.record` encodes and compresses it."""


class Position(msgspec.Struct, frozen=True, order=True):
    """A place in one source's log: everything up to and including `offset` has been read."""

    offset: int = 0
    seq: int = 0
    """Accepted events of the source up to this place."""


class Record(msgspec.Struct, frozen=True):
    offset: int
    source_id: str
    received_at: int
    first_seq: int
    """Events of this source that were accepted before this record."""
    count: int
    body: bytes

    @property
    def end(self) -> Position:
        return Position(self.offset, self.first_seq + self.count)


class LogReader(Protocol):
    """Any process may hold one; it needs no lock and never blocks the writer."""

    def read(self, source_id: str, after: int, limit: int) -> list[Record]:
        """Up to `limit` records of the source with an offset above `after`, in order."""
        ...

    def heads(self) -> dict[str, Position]:
        """The end of each source's log."""
        ...

    def seek(self, source_id: str, received_at: int) -> Position:
        """The position just before the first record received at `received_at` (ms) or later."""
        ...

    def changed(self) -> bool:
        """Whether anything was appended since this was last asked: cheap enough to ask every 5 ms."""
        ...

    def close(self) -> None: ...


class EventLog(LogReader, Protocol):
    """The one writer. `append` blocks until durable, so it is called from a thread of its own."""

    def append(self, drafts: Sequence[Draft]) -> list[Position]:
        """Make all drafts durable in one group commit; their ends, in the order given.

        Raises `LogFull` when the disk reserve is reached, and OSError if the disk refuses; nothing is
        appended then.
        """
        ...

    def scan(self, after: int, limit: int) -> list[Record]:
        """Up to `limit` records of all sources with an offset above `after`, in order."""
        ...

    def prune(self, now: int) -> int:
        """Delete the slices that retention by age and size no longer keeps; bytes freed."""
        ...


class LogEraser(Protocol):
    """Rewrites records, for deletions. Any one process may hold it, beside the writer."""

    def scan(self, after: int, limit: int) -> list[Record]:
        """As `EventLog.scan`."""
        ...

    def replace(self, bodies: Sequence[tuple[int, bytes]]) -> None:
        """Give records, by offset, other bodies; records that are gone are passed over. Durable when it
        returns, and what stood there before is overwritten. Raises OSError or sqlite3.Error."""
        ...

    def finish(self) -> None:
        """After the last `replace`: leave no old bodies in journals either."""
        ...

    def close(self) -> None: ...


class LogFull(Exception):
    """The disk is down to its reserve: tracking answers 503 with Retry-After until there is room."""


class LogUnavailable(Exception):
    """The log can't be opened or read; the message names the file, the cause and the remedy."""
