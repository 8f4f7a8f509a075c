"""What delivery has to say of one destination, for those who ask from outside: its books and its discards.

Reads what is committed; may block for some milliseconds.
"""

from collections.abc import Mapping

import msgspec

from onward.delivery.state.protocol import Discard, StateStore
from onward.delivery.state.protocol import Totals as DestinationTotals
from onward.eventlog.protocol import LogReader, Position
from onward.metering.fates import Redrive
from onward.metering.outcomes import Funnel, Inflow, Window, funnel
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
        self.ask = store.questions()
        """What was counted over time, what waits, single failures."""

    def books(self, destination_id: str, source_id: str) -> Books:
        """All zero for a destination that was never enabled."""
        totals = self._store.totals(destination_id).get(destination_id)
        if totals is None:
            return NOTHING
        # The head is read after the books, so it is never behind them; what came between is pending.
        return _books(totals, self._log.heads().get(source_id, Position()))

    def all_books(self, sources: Mapping[str, str]) -> dict[str, Books]:
        """Of many destinations: `destination id → source id`."""
        totals = self._store.totals()
        heads = self._log.heads()
        return {
            id: _books(totals[id], heads.get(source_id, Position())) if id in totals else NOTHING
            for id, source_id in sources.items()
        }

    def accepted(self) -> dict[str, int]:
        """How many events each source has ever accepted."""
        return {source_id: head.seq for source_id, head in self._log.heads().items()}

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

    def oldest_pending(self, destination_id: str, source_id: str) -> int | None:
        """When (ms) the event was received that has waited longest for its outcome; None if none waits."""
        totals = self._store.totals(destination_id).get(destination_id)
        if totals is None:
            return None
        unread = self._log.read(source_id, totals.cursor.offset, 1)
        times = [each.received_at for each in unread]
        if (parked := self.ask.oldest_parked(destination_id)) is not None:
            times.append(parked)
        return min(times, default=None)

    def redrive(self, destination_id: str, wanted: Redrive, now: float) -> int:
        """Have discards sent again; the id of the request."""
        return self._store.ask_redrive(destination_id, wanted, now)

    def redrives(self, destination_id: str, limit: int) -> list[Redrive]:
        """Such requests, the newest first."""
        return self._store.redrives(destination_id, limit)

    def counters(self, destination_id: str, outcome: str, question: Question) -> Totals:
        """What was counted as an outcome, over time."""
        return self._store.counters(destination_id, outcome, question)

    def funnel(
        self, destination_id: str, source_id: str, window: Window, inflow: Inflow, *, to_now: bool
    ) -> Funnel | None:
        """`inflow` is what the source accepted; None for a destination that was never enabled."""
        flow = self.ask.flow(destination_id, window)
        if flow is None:
            return None
        head = self._log.heads().get(source_id, Position())
        return funnel(flow, inflow, max(head.seq, flow.cursor_seq), to_now=to_now)


def _books(totals: DestinationTotals, head: Position) -> Books:
    return Books(
        received=totals.received(head),
        delivered=totals.delivered,
        filtered=totals.filtered,
        discarded=totals.discarded,
        pending=totals.pending(head),
        retrying=totals.parked - totals.untried,
        paused_since=totals.breaker_opened_at,
    )
