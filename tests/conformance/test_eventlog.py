"""What every event log keeps (`onward.eventlog.protocol`), checked on each implementation."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from onward.eventlog.memory import MemoryLog
from onward.eventlog.protocol import Draft, EventLog, LogFull, LogReader, Position, Record
from onward.eventlog.sqlite import SqliteLog, SqliteReader

SLICE = 1000
RETENTION = 5000


class Made(NamedTuple):
    log: EventLog
    open_reader: Callable[[], LogReader]
    fill: Callable[[bool], None]
    """Make the disk look full, or not."""


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch) -> Iterator[Callable[..., Made]]:
    opened = []

    def memory(retention_bytes: int | None = None) -> Made:
        log = MemoryLog(slice_ms=SLICE, retention_ms=RETENTION, retention_bytes=retention_bytes)
        return Made(log, log.reader, lambda full: setattr(log, "full", full))

    def sqlite(retention_bytes: int | None = None) -> Made:
        free = 1 << 40

        class Usage(NamedTuple):
            free: int

        def fill(full: bool) -> None:
            nonlocal free
            free = 0 if full else 1 << 40

        monkeypatch.setattr("onward.eventlog.sqlite.writer.SPACE_CHECK_SECONDS", 0)
        monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(free))
        log = SqliteLog(tmp_path, slice_ms=SLICE, retention_ms=RETENTION, retention_bytes=retention_bytes)

        def open_reader() -> LogReader:
            opened.append(SqliteReader(tmp_path, relist_seconds=0))
            return opened[-1]

        opened.append(log)
        return Made(log, open_reader, fill)

    yield {"memory": memory, "sqlite": sqlite}[request.param]
    for each in opened:
        each.close()


@pytest.fixture
def made(make: Callable[..., Made]) -> Made:
    return make()


def draft(source: str = "a", at: int = 0, count: int = 1, body: bytes = b"body") -> Draft:
    return Draft(source, at, count, body)


def ends(records: list[Record]) -> list[Position]:
    return [record.end for record in records]


def test_a_new_log_is_empty(made: Made) -> None:
    for log in (made.log, made.open_reader()):
        assert log.heads() == {}
        assert log.read("a", 0, 10) == []
        assert log.seek("a", 0) == Position()
        assert not log.changed()
    assert made.log.scan(0, 10) == []
    assert made.log.append([]) == []
    assert made.log.prune(10**12) == 0


def test_what_is_appended_is_read_back_whole(made: Made) -> None:
    bodies = [b"", b"\x00\xff" * 3, b"x" * 100_000]
    positions = made.log.append([draft(at=7, count=2, body=body) for body in bodies])
    records = made.open_reader().read("a", 0, 10)
    assert [record.body for record in records] == bodies
    assert [(record.source_id, record.received_at, record.count) for record in records] == [("a", 7, 2)] * 3
    assert ends(records) == positions


def test_offsets_grow_and_sequences_count_each_source_without_a_gap(made: Made) -> None:
    positions = made.log.append([draft("a", count=3), draft("b"), draft("a", count=0), draft("a", count=2)])
    positions += made.log.append([draft("b", count=10)])
    assert [position.seq for position in positions] == [3, 1, 3, 5, 11]
    offsets = [position.offset for position in positions]
    assert offsets == sorted(set(offsets))
    assert min(offsets) > 0
    assert [record.first_seq for record in made.log.read("a", 0, 10)] == [0, 3, 3]
    assert made.log.heads() == {"a": positions[3], "b": positions[4]}
    assert made.open_reader().heads() == made.log.heads()


def test_a_source_is_read_in_order_from_any_place_up_to_a_limit(made: Made) -> None:
    for at in range(0, 4000, 100):
        made.log.append([draft("a", at), draft("b", at), draft("a", at)])
    reader = made.open_reader()
    everything = reader.read("a", 0, 1000)
    assert len(everything) == 80
    assert everything == [record for record in made.log.scan(0, 1000) if record.source_id == "a"]
    for start in (0, 1, 17, 78, 79):
        after = everything[start].offset
        assert reader.read("a", after, 5) == everything[start + 1 : start + 6]
        assert reader.read("a", after - 1, 5) == everything[start : start + 5]
    assert reader.read("unknown", 0, 5) == []
    assert reader.read("a", 0, 0) == []


def test_scan_walks_all_sources_in_order(made: Made) -> None:
    positions = [made.log.append([draft(source, at)])[0] for at, source in enumerate("abcab" * 5)]
    found: list[Record] = []
    while part := made.log.scan(found[-1].offset if found else 0, 7):
        assert len(part) <= 7
        found += part
    assert ends(found) == positions


def test_received_at_never_decreases(made: Made) -> None:
    made.log.append([draft(at=500), draft(at=400)])
    made.log.append([draft("b", at=450), draft(at=600)])
    assert [record.received_at for record in made.log.scan(0, 10)] == [500, 500, 500, 600]


def test_seek_finds_the_place_before_a_time(made: Made) -> None:
    for at in range(0, 6000, 300):
        made.log.append([draft("a", at, count=2), draft("late", max(at, 3000)), draft("a", at)])
    reader = made.open_reader()
    for source in ("a", "late"):
        everything = reader.read(source, 0, 1000)
        for at in (0, 1, 299, 300, 1000, 2999, 3000, 3001, 5400, 5700):
            expected = [record for record in everything if record.received_at >= at]
            position = reader.seek(source, at)
            assert position.seq == expected[0].first_seq
            assert reader.read(source, position.offset, 1000) == expected
        assert reader.seek(source, 5701) == reader.heads()[source]
    assert reader.seek("unknown", 0) == Position()


def test_each_reader_is_told_of_a_change_once(made: Made) -> None:
    one, other = made.open_reader(), made.open_reader()
    assert not one.changed()
    for at in (0, 1, 500, 1200, 1300, 9000):
        made.log.append([draft(at=at)])
        for reader in (one, made.log, other):
            assert reader.changed()
            assert not reader.changed()
            assert reader.read("a", 0, 100)[-1].received_at == at


def test_a_late_reader_is_told_of_what_was_there(made: Made) -> None:
    made.log.append([draft()])
    assert made.open_reader().changed()


def test_a_reader_follows_over_slices_without_asking_for_changes(made: Made) -> None:
    reader = made.open_reader()
    after = 0
    for at in range(0, 8000, 400):
        positions = made.log.append([draft(at=at), draft("b", at)])
        records = reader.read("a", after, 10)
        assert ends(records) == positions[:1]
        after = records[-1].offset
        assert reader.heads() == {"a": positions[0], "b": positions[1]}


def test_a_source_silent_over_many_slices_is_found_again(made: Made) -> None:
    first = made.log.append([draft("rare", 0)])[0]
    for at in range(0, 20_000, 500):
        made.log.append([draft("busy", at)])
    second = made.log.append([draft("rare", 20_000), draft("new", 20_000)])
    for at in range(20_000, 30_000, 500):
        made.log.append([draft("busy", at)])
    reader = made.open_reader()
    assert ends(reader.read("rare", 0, 10)) == [first, second[0]]
    assert ends(reader.read("rare", first.offset, 10)) == second[:1]
    assert ends(reader.read("new", 0, 10)) == second[1:]
    assert reader.read("rare", second[0].offset, 10) == []


def test_a_full_log_takes_nothing_and_recovers_by_itself(made: Made) -> None:
    before = made.log.append([draft(count=5)])
    made.fill(True)
    with pytest.raises(LogFull):
        made.log.append([draft(), draft("b")])
    assert made.log.heads() == {"a": before[0]}
    assert len(made.log.scan(0, 10)) == 1
    made.fill(False)
    after = made.log.append([draft()])
    assert after[0].seq == 6
    assert after[0].offset > before[0].offset


def test_retention_by_age_removes_whole_slices_oldest_first(made: Made) -> None:
    for at in range(0, 10_000, 500):
        made.log.append([draft(at=at, count=3), draft("b", at)])
    reader = made.open_reader()
    heads = reader.heads()
    assert made.log.prune(9_600) > 0
    assert reader.heads() == heads
    kept = reader.read("a", 0, 100)
    assert (
        kept[0].received_at == 4000
    )  # slices start at 0, 1000, …; the one of 4000 ends at 5000 > 9600 - 5000
    assert kept[0].first_seq == 24
    assert kept[-1].end == heads["a"]
    assert made.log.prune(9_600) == 0
    assert reader.seek("a", 0) == Position(kept[0].offset - 1, 24)


def test_a_reader_before_the_hole_goes_on_behind_it(made: Made) -> None:
    reader = made.open_reader()
    for at in range(0, 10_000, 1000):
        made.log.append([draft(at=at, count=7)])
    read = reader.read("a", 0, 2)[-1].end
    made.log.prune(10_000)
    following = reader.read("a", read.offset, 1)[0]
    assert following.first_seq > read.seq
    assert (following.first_seq - read.seq) % 7 == 0


def test_the_ends_outlive_the_records(made: Made) -> None:
    positions = made.log.append([draft("a", 0, count=4), draft("b", 0, count=2)])
    made.log.prune(SLICE)  # seals the slice: nothing in it was received later than now
    assert made.log.prune(SLICE + RETENTION) > 0
    reader = made.open_reader()
    assert reader.read("a", 0, 10) == []
    assert reader.heads() == {"a": positions[0], "b": positions[1]}
    assert reader.seek("a", 0) == positions[0]
    after = made.log.append([draft("a", 100_000)])[0]
    assert after.seq == 5
    assert after.offset > positions[1].offset
    assert reader.read("a", 0, 10)[0].first_seq == 4
    assert reader.heads() == {"a": after, "b": positions[1]}


def test_the_active_slice_is_not_pruned_by_age(made: Made) -> None:
    made.log.append([draft(at=50_000)])
    assert made.log.prune(50_000 + SLICE - 1) == 0
    assert len(made.open_reader().read("a", 0, 10)) == 1


def test_retention_by_size_keeps_the_newest(make: Callable[..., Made]) -> None:
    made = make(retention_bytes=4 << 20)
    for at in range(100):
        made.log.append([draft(at=at * 100, body=bytes(100_000))])
    heads = made.log.heads()
    assert made.log.prune(10_000) > 0
    kept = made.open_reader().read("a", 0, 1000)
    assert 20 <= len(kept) <= 42
    assert kept[-1].end == heads["a"]
    assert kept[0].first_seq == 100 - len(kept)
    assert made.log.prune(10_000) == 0


def test_an_active_slice_alone_over_the_size_is_sealed_and_goes(make: Callable[..., Made]) -> None:
    made = make(retention_bytes=1 << 20)
    end = made.log.append([draft(body=bytes(2 << 20))])[0]
    reader = made.open_reader()
    assert made.log.prune(1) >= 2 << 20
    assert reader.read("a", 0, 10) == []
    assert reader.heads() == {"a": end}
    assert made.log.append([draft()])[0].seq == 2
    assert reader.changed()
    assert reader.read("a", 0, 10)[0].first_seq == 1
