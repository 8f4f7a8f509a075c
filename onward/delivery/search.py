"""Finding accepted events in the log by messageId or by user, within a time.

Nothing is kept for it: records are read in order of receipt, and only those are decoded in whose bytes the
id stands. So looking at a second of 5,000 events takes some ten milliseconds, and who knows roughly when an
event came finds it at once. A search stops after `SECONDS` and says where it was.
"""

import time
from collections.abc import Callable, Iterator

import msgspec
import orjson

from onward.eventlog.protocol import LogReader, Record
from onward.eventlog.record import CorruptRecord, decode
from onward.pipeline.normalise import normalise
from onward.pipeline.types import Envelope, Event

SECONDS = 4.0
"""Then a search gives what it has."""
RECORDS = 100
"""Read at a time."""


class Found(msgspec.Struct, frozen=True):
    source_id: str
    offset: int
    before: int
    """Events of the source that were accepted before its request."""
    received_at: int
    event: Event


class Search:
    """One search over some sources."""

    def __init__(
        self,
        log: LogReader,
        source_ids: tuple[str, ...],
        message_id: str | None,
        user_id: str | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._source_ids = source_ids
        self._message_id = message_id
        self._user_id = user_id
        self._needles = [_needle(id) for id in (message_id, user_id) if id is not None]
        self._clock = clock
        self._until = clock() + SECONDS
        self.records = 0
        self.stopped_at: int | None = None
        """Time of receipt (ms) from where on not everything was looked at; None if all was."""

    def between(self, start: int, end: int, limit: int) -> list[Found]:
        """What was received within [start, end] (ms), in order of receipt by source."""
        found: list[Found] = []
        for source_id in self._source_ids:
            for record in self._records(source_id, start, end):
                found += self._matches(record)
                if len(found) >= limit:
                    self._stop(record.received_at)
                    return found[:limit]
                if self._clock() > self._until:
                    self._stop(record.received_at)
                    break
        return found

    def _stop(self, received_at: int) -> None:
        self.stopped_at = received_at if self.stopped_at is None else min(self.stopped_at, received_at)

    def _records(self, source_id: str, start: int, end: int) -> Iterator[Record]:
        after = self._log.seek(source_id, start).offset
        while True:
            records = self._log.read(source_id, after, RECORDS)
            for record in records:
                if record.received_at > end:
                    return
                self.records += 1
                yield record
            if not records:
                return
            after = records[-1].offset

    def _matches(self, record: Record) -> Iterator[Found]:
        try:
            envelope, body = decode(record.body)
        except CorruptRecord:
            return
        if not self._may_hold(envelope, body):
            return
        for event in normalise(envelope, body, record.count):
            if isinstance(event, dict) and self._is_wanted(event):
                yield Found(record.source_id, record.offset, record.first_seq, record.received_at, event)

    def _may_hold(self, envelope: Envelope, body: bytes) -> bool:
        if self._message_id is not None and self._message_id in envelope.ids.values():
            return True
        # A text may be written in escapes, which only decoding tells.
        return all(needle in body for needle in self._needles) or b"\\u" in body

    def _is_wanted(self, event: Event) -> bool:
        if self._message_id is not None and event.get("messageId") != self._message_id:
            return False
        return self._user_id is None or self._user_id in (event.get("userId"), event.get("anonymousId"))


def _needle(id: str) -> bytes:
    return orjson.dumps(id)[1:-1]
