"""Which records a destination still works on, and how far its cursor may therefore move.

Items of a record finish in any order; the cursor is the end of the last record before which everything
has finished (the low-water mark). What a record's items became (counts, parked retries, discards) is
handed over only together with the cursor that passes the record, in one transaction. So a crash at any
point re-reads exactly the records above the stored cursor, none of whose outcomes were stored: nothing
is lost, nothing is counted twice, and what was in flight may be delivered again.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from onward.delivery.state.protocol import Changes
from onward.eventlog.protocol import Position

if TYPE_CHECKING:
    from onward.delivery.item import Item


class OpenRecord:
    """A record some of whose items are unfinished, and what has become of the others."""

    __slots__ = ("changes", "end", "events", "pending", "settled", "version")

    def __init__(self, end: Position, events: int, version: int) -> None:
        self.end = end
        self.version = version
        self.events = events
        self.pending = 0
        self.settled = False
        """Whether an item of it has had an outcome (a filtered event has none)."""
        self.changes: Changes | None = None

    @property
    def own(self) -> Changes:
        """What has become of its events, made when there is something to say."""
        if self.changes is None:
            self.changes = Changes()
        return self.changes


class Ledger:
    """The open records of one destination, in log order."""

    def __init__(self, cursor: Position) -> None:
        self.cursor = cursor
        """Everything up to here has finished (though perhaps not been committed)."""
        self.open_events = 0
        self._version = -1
        """By which the last record was routed that the cursor has passed."""
        self._open: deque[OpenRecord] = deque()

    @property
    def blocked(self) -> bool:
        """Whether the cursor can't move, as the first record has not finished."""
        return bool(self._open) and self._open[0].pending > 0

    def open(self, end: Position, events: int, version: int = 0) -> OpenRecord:
        """`version` is that of the configuration by which its events are routed."""
        record = OpenRecord(end, events, version)
        self._open.append(record)
        self.open_events += events
        return record

    def redrive(self, version: int) -> OpenRecord:
        """A record that stands for a discard and for nothing in the log, at the end of what is open."""
        return self.open(self._open[-1].end if self._open else self.cursor, 0, version)

    def advance(self, into: Changes) -> None:
        """Move the cursor over finished records, and what became of them into `into`."""
        records = self._open
        while records and records[0].pending == 0:
            record = records.popleft()
            self.open_events -= record.events
            if record.version != self._version:
                self._version = record.version
                into.passages.append((self.cursor.offset + 1, record.version))
            self.cursor = record.end
            into.cursor = record.end
            if record.changes is not None:
                into.merge(record.changes)

    def unsettled(self) -> Iterator[Changes]:
        """What has become of events of records that the cursor has not passed."""
        return (record.changes for record in self._open if record.changes is not None)

    def rewind(self, untouched: set[OpenRecord]) -> tuple[Position, set[OpenRecord]]:
        """Forget the tail of records that nobody has begun to send: where to read on from, and which.

        Called when the destination is paused, so that an outage holds no memory.
        """
        dropped: set[OpenRecord] = set()
        while self._open:
            record = self._open[-1]
            if record.settled or not (record.pending == 0 or record in untouched):
                break
            dropped.add(self._open.pop())
            self.open_events -= record.events
        return (self._open[-1].end if self._open else self.cursor), dropped


def untouched(items: "Iterable[Item]") -> set[OpenRecord]:
    """The records all of whose events are among `items`, which are still unsent."""
    waiting: dict[OpenRecord, int] = {}
    for item in items:
        if item.record is not None:
            waiting[item.record] = waiting.get(item.record, 0) + 1
    return {record for record, count in waiting.items() if record.pending == count}
