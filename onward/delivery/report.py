"""What delivery has to say of one destination, for those who ask from outside: its books and its discards.

Reads what is committed; may block for some milliseconds.
"""

import msgspec

from onward.delivery.state.protocol import Discard, StateStore
from onward.eventlog.protocol import LogReader, Position
from onward.metering.query import Question, Totals


class Books(msgspec.Struct, frozen=True):
    """received = delivered + filtered + discarded + pending, in events since the destination was enabled
    for the first time; an event that matched two mappings counts twice."""

    received: int
    delivered: int
    filtered: int
    discarded: int
    pending: int
    retrying: int
    """Of the pending, those that wait for another attempt."""
    paused_since: float | None
    """Since when (s since the epoch) the destination fails as a whole and is only probed."""


NOTHING = Books(0, 0, 0, 0, 0, 0, None)


class DeliveryReport:
    def __init__(self, store: StateStore, log: LogReader) -> None:
        self._store = store
        self._log = log

    def books(self, destination_id: str, source_id: str) -> Books:
        """All zero for a destination that was never enabled."""
        totals = self._store.totals(destination_id).get(destination_id)
        if totals is None:
            return NOTHING
        # The head is read after the books, so it is never behind them; what came between is pending.
        head = self._log.heads().get(source_id, Position())
        return Books(
            received=totals.received(head),
            delivered=totals.delivered,
            filtered=totals.filtered,
            discarded=totals.discarded,
            pending=totals.pending(head),
            retrying=totals.parked,
            paused_since=totals.breaker_opened_at,
        )

    def discards(
        self,
        destination_id: str,
        limit: int,
        before: int | None = None,
        code: str | None = None,
        message_id: str | None = None,
    ) -> list[Discard]:
        """Payloads given up on, the newest first; `before` is the id to continue below."""
        return self._store.discards(destination_id, limit, before, code, message_id)

    def counters(self, destination_id: str, outcome: str, question: Question) -> Totals:
        """What was counted as an outcome, over time."""
        return self._store.counters(destination_id, outcome, question)
