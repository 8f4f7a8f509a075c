from collections import Counter
from pathlib import Path

import pytest

from onward.tracking import ledger as module
from onward.tracking.ledger import Ledger, LedgerReader, Report

MINUTE = 60_000
HOUR = 60 * MINUTE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ingest.db"


def report(events: list[object], received_at: int = 0, **more: object) -> Report:
    return Report("src", received_at, None, events, **{"discards": {}, **more})  # type: ignore[arg-type]


def event(at: int) -> dict[str, object]:
    return {"type": "track", "messageId": f"{at}"}


def test_a_ledger_that_is_not_there_reads_as_empty(path: Path) -> None:
    reader = LedgerReader(path)
    assert (reader.recent("src"), reader.counters("src"), reader.discards("src")) == ([], [], [])


def test_received_is_the_sum_of_the_verdicts(path: Path) -> None:
    ledger, reader = Ledger(path), LedgerReader(path)
    events = [event(at) for at in range(10)]
    ledger.committed([report(events, duplicates={1, 2}, discards={3: "x", 4: "x", 5: "y"})], 5)
    ledger.committed([report(events, 90_000)], 6)
    ledger.flush()
    counted = {(count.minute, count.outcome, count.code): count.events for count in reader.counters("src")}
    assert counted == {
        (0, "accepted", ""): 5,
        (0, "duplicate", ""): 2,
        (0, "discarded", "x"): 2,
        (0, "discarded", "y"): 1,
        (1, "accepted", ""): 10,
    }
    assert [count.minute for count in reader.counters("src", since=1, until=60_001)] == [1]
    ledger.close()
    assert Ledger(path).offset() == 6


def test_the_ring_keeps_the_last_500_also_over_restarts(path: Path) -> None:
    for start in range(0, 1200, 300):
        ledger = Ledger(path)
        ledger.discarded(report([event(start + at) for at in range(300)]))
        ledger.close()
    lines = LedgerReader(path).recent("src")
    assert [line.message_id for line in lines] == [str(at) for at in range(1199, 699, -1)]
    assert len(LedgerReader(path).recent("src", 3)) == 3


def test_under_load_the_ring_is_a_sample_and_the_counts_are_not(path: Path) -> None:
    ledger = Ledger(path)
    for each in range(10):
        for source in ("a", "b", "c", "d", "e"):
            batch = [event(at) for at in range(100)]
            ledger.committed([report(batch)._replace(source_id=source)], each)
    ledger.flush()
    reader = LedgerReader(path)
    assert [len(reader.recent(source)) for source in "abcde"] == [400, 400, 400, 400, 400]
    assert sum(count.events for source in "abcde" for count in reader.counters(source)) == 5000
    ledger.close()


def test_discard_samples_are_bounded_and_expire(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DISCARDS_KEPT", 30)
    ledger = Ledger(path, discard_retention_ms=HOUR)
    reader = LedgerReader(path)
    for each in range(5):
        ledger.discarded(
            report([event(at) for at in range(50)], each, discards=dict.fromkeys(range(50), "x"))
        )
        ledger.discarded(report([event(7)], HOUR, discards={0: "y"}))
        ledger.flush()
    assert len(reader.discards("src", "x", 1000)) == 30
    assert len(reader.discards("src", limit=1000)) == 35
    ledger.prune(HOUR + 10)
    assert {discard.code for discard in reader.discards("src", limit=1000)} == {"y"}
    ledger.close()


def test_old_minutes_become_hours_and_old_hours_go(path: Path) -> None:
    ledger, reader = Ledger(path), LedgerReader(path)
    now = 40 * 24 * HOUR
    old = now - 4 * 24 * HOUR
    for at in (0, old, old + MINUTE, old + 5 * MINUTE, now):
        ledger.committed([report([event(1)], at)], 1)
    ledger.flush()
    for _ in range(2):
        ledger.prune(now)
        assert [(count.minute * MINUTE, count.events) for count in reader.counters("src")] == [
            (old, 3),
            (now, 1),
        ]
    ledger.close()


def test_what_could_not_be_written_is_written_later(path: Path) -> None:
    ledger = Ledger(path)
    ledger._db.execute("alter table counts rename to hidden")
    ledger.committed([report([event(1)])], 3)
    with pytest.raises(module.sqlite3.Error):
        ledger.flush()
    ledger._db.execute("alter table hidden rename to counts")
    ledger.flush()
    assert [count.events for count in LedgerReader(path).counters("src")] == [1]
    ledger.close()
    assert Ledger(path).offset() == 3


def test_odd_types_do_not_grow_the_table(path: Path) -> None:
    ledger = Ledger(path)
    odd = [{"type": [1]}, {"type": "x" * 99}, {}, 5, b"1e400"]
    ledger.discarded(report(odd, discards=dict.fromkeys(range(5), "BAD_REQUEST")))
    ledger.recovered("src", 0, Counter({"nonsense": 2}), 1)
    ledger.flush()
    assert {count.type for count in LedgerReader(path).counters("src")} == {"other"}
    ledger.close()
