"""What the state store says of each destination, and what must be true of it."""

from harness import Onward

from onward import eventlog
from onward.delivery.state.protocol import Totals
from onward.delivery.state.sqlite import SqliteStateStore
from onward.eventlog.protocol import Position


def read(onward: Onward, source_id: str) -> tuple[dict[str, Totals], Position]:
    """The totals of all destinations, and the head of the source's log, of a server that runs or not."""
    store, reader = SqliteStateStore(onward.data), eventlog.open_reader(onward.data)
    try:
        return store.totals(), reader.heads().get(source_id, Position())
    finally:
        store.close()
        reader.close()


def balance(totals: Totals, head: Position) -> bool:
    """received = delivered + filtered + discarded + pending"""
    return totals.received(head) == (
        totals.delivered + totals.filtered + totals.discarded + totals.pending(head)
    )
