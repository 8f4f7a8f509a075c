"""Counters for /metrics are read a little at a time, and must come out as if read whole."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from onward.metrics import SETTLED, DoorCounts
from onward.tracking.ledger import Count


class Ledger:
    """The counters of one source, as `LedgerReader` gives them."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[int, str, str, str]] = Counter()
        self.rows_read = 0

    def counters(self, source_id: str, since: int = 0, until: int = 1 << 62) -> list[Count]:
        rows = [Count(*key, events) for key, events in self.counts.items() if key[0] * 60_000 >= since]
        self.rows_read += len(rows)
        return rows


outcomes = st.sampled_from([("accepted", ""), ("duplicate", ""), ("discarded", "empty_batch")])


@given(st.lists(st.tuples(st.integers(0, 3), st.lists(st.tuples(outcomes, st.integers(1, 9))))))
def test_every_scrape_gives_the_sum_of_everything(minutes: list[tuple[int, list[object]]]) -> None:
    """Time passes by 0 to 3 minutes between scrapes; counts arrive for the current minute."""
    ledger = Ledger()
    door = DoorCounts(ledger)  # type: ignore[arg-type]
    minute = 1000
    expected: Counter[tuple[str, str, str]] = Counter()
    for passed, arrivals in minutes:
        minute += passed
        for (outcome, code), events in arrivals:  # type: ignore[misc]
            ledger.counts[minute, outcome, code, "track"] += events
            expected[outcome, code, "track"] += events
        assert door.totals("source", minute * 60.0) == expected


def test_settled_minutes_are_read_once() -> None:
    ledger = Ledger()
    door = DoorCounts(ledger)  # type: ignore[arg-type]
    for minute in range(1000):
        ledger.counts[minute, "accepted", "", "track"] += 1
    door.totals("source", 1000 * 60.0)
    ledger.rows_read = 0
    assert door.totals("source", 1000 * 60.0).total() == 1000
    assert ledger.rows_read <= SETTLED
