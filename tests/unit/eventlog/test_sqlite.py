"""What is special to the SQLite log: its files, its lock, full disks, damage."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from onward.eventlog import open_reader, open_writer
from onward.eventlog.protocol import Draft, LogFull, LogUnavailable, Position, Record
from onward.eventlog.sqlite import SqliteLog, SqliteReader, slices
from onward.eventlog.sqlite import reader as queries
from onward.eventlog.sqlite import writer as writer_module
from onward.settings import Settings

Open = Callable[..., SqliteLog]


@pytest.fixture
def open_log(tmp_path: Path) -> Iterator[Open]:
    opened: list[SqliteLog] = []

    def make(folder: Path = tmp_path, **settings: object) -> SqliteLog:
        known: dict[str, object] = {"slice_ms": 1000, "reserve_bytes": 0, "lock_timeout": 0.05}
        log = SqliteLog(folder, **(known | settings))  # type: ignore[arg-type]
        opened.append(log)
        return log

    yield make
    for log in opened:
        log.close()


def draft(at: int = 0, source: str = "a", count: int = 1, body: bytes = b"body") -> Draft:
    return Draft(source, at, count, body)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix == ".db")


def test_settings_open_a_writer_and_readers(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    reader = open_reader(data)
    assert reader.read("a", 0, 10) == []
    log = open_writer(Settings(data=data, disk_reserve_bytes=0))
    log.append([draft()])
    assert reader.changed()
    assert [record.body for record in reader.read("a", 0, 10)] == [b"body"]
    log.close()
    reader.close()


def test_slices_are_named_by_first_offset_and_start_and_begin_with_time(
    tmp_path: Path, open_log: Open
) -> None:
    log = open_log()
    positions = [log.append([draft(at)])[0] for at in (10, 900, 1009, 1010, 1500, 9000)]
    starts = [(positions[0], 10), (positions[3], 1010), (positions[5], 9000)]
    assert names(tmp_path) == [f"{position.offset:016d}-{start:013d}.db" for position, start in starts]


def test_a_large_slice_is_followed_by_the_next(tmp_path: Path, open_log: Open) -> None:
    log = open_log(retention_bytes=800_000)
    for _ in range(50):
        log.append([draft(body=bytes(10_000))])
    assert 4 <= len(names(tmp_path)) <= 6
    assert len(SqliteReader(tmp_path).read("a", 0, 100)) == 50


def test_the_log_goes_on_where_it_ended(tmp_path: Path, open_log: Open) -> None:
    log = open_log()
    before = log.append([draft(count=3), draft(source="b"), draft(5000, source="c", count=2)])
    log.close()
    log = open_log()
    after = log.append([draft(count=1), draft(source="b"), draft(source="d")])
    assert [position.seq for position in before + after] == [3, 1, 2, 4, 2, 1]
    offsets = [position.offset for position in before + after]
    assert all(low < high for low, high in pairwise(offsets))
    assert [record.received_at for record in log.scan(before[-1].offset, 10)] == [5000] * 3


def test_offsets_are_new_even_if_the_newest_slice_was_moved_away(tmp_path: Path, open_log: Open) -> None:
    now = 1_700_000_000.0
    log = open_log(clock=lambda: now)
    position = [log.append([draft(at)])[0] for at in (0, 1000)][-1]
    log.close()
    for path in tmp_path.glob(f"{names(tmp_path)[-1]}*"):
        path.unlink()
    log = open_log(clock=lambda: now + 0.001)
    assert log.append([draft(1000)])[0].offset > position.offset
    assert position.offset < 1 << 53


def test_a_group_larger_than_a_statement_is_one_transaction(tmp_path: Path, open_log: Open) -> None:
    log = open_log()
    size = writer_module.ROWS * 3 + 1
    reader = SqliteReader(tmp_path)
    log.append([draft(source=f"s{number % 7}") for number in range(size)])
    assert len(reader.scan(0, 1000)) == size
    log._connection.set_trace_callback((seen := []).append)  # type: ignore[union-attr]
    log.append([draft(source=f"s{number % 7}") for number in range(size)])
    assert [sql.split()[0] for sql in seen] == ["BEGIN", "INSERT", "INSERT", "INSERT", "INSERT", "COMMIT"]
    seen.clear()
    log.append([draft(source=f"s{number % 7}") for number in range(16)])
    assert [sql.split()[0] for sql in seen] == ["INSERT"]
    assert reader.heads() == log.heads()
    reader.close()


@pytest.mark.parametrize(
    ("sql", "values", "step"),
    [
        (queries._READ, ("a", 0, 1), "SEARCH record USING INDEX record_by_source (source=? AND rowid>?)"),
        (queries._SCAN, (0, 1), "SEARCH record USING INTEGER PRIMARY KEY (rowid>?)"),
        (queries._HEADS, (), "SEARCH record USING COVERING INDEX record_by_source (source=?)"),
        (queries._AT_OR_AFTER, (0,), "SEARCH record USING INTEGER PRIMARY KEY (rowid>?)"),
    ],
)
def test_queries_cost_what_they_return(
    tmp_path: Path, open_log: Open, sql: str, values: tuple[object, ...], step: str
) -> None:
    open_log().append([draft()])
    connection = slices.open_to_read(tmp_path, slices.listing(tmp_path)[0])
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    connection.close()
    assert step in plan
    assert not [line for line in plan if "TEMP B-TREE" in line]


def test_commits_are_synced(tmp_path: Path, open_log: Open) -> None:
    log = open_log()
    log.append([draft()])
    assert log._connection
    assert log._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert log._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_readers_cannot_write(tmp_path: Path, open_log: Open) -> None:
    open_log().append([draft()])
    connection = slices.open_to_read(tmp_path, slices.listing(tmp_path)[0])
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM record")
    connection.close()


def test_a_polling_reader_does_not_make_the_wal_grow(tmp_path: Path, open_log: Open) -> None:
    log = open_log(checkpoint_bytes=100_000)
    reader = SqliteReader(tmp_path)
    after = 0
    for _ in range(300):
        log.append([draft(body=bytes(4000))])
        assert reader.changed()
        after = reader.read("a", after, 10)[-1].offset
        assert next(tmp_path.glob("*-wal")).stat().st_size < 250_000
    reader.close()


def test_a_closed_log_says_so(tmp_path: Path, open_log: Open) -> None:
    log = open_log()
    log.append([draft()])
    log.close()
    log.close()
    for use in (lambda: log.append([draft(3)]), lambda: log.read("a", 0, 1), lambda: log.prune(1 << 40)):
        with pytest.raises(ValueError, match="closed"):
            use()
    assert not list(tmp_path.glob("*-wal"))


def test_a_draft_that_cannot_be_written_undoes_its_group(tmp_path: Path, open_log: Open) -> None:
    log = open_log()
    log.append([draft()])
    many = [draft(source=f"s{number}") for number in range(100)]
    with pytest.raises(OverflowError):
        log.append([*many, draft(count=1 << 70), draft()])
    assert list(log.heads()) == ["a"]
    assert log.append([draft()])[0].seq == 2
    assert len(log.append(many)) == 100


# One writer


def test_a_second_writer_is_refused_by_name(tmp_path: Path, open_log: Open) -> None:
    log = open_log()
    with pytest.raises(LogUnavailable, match=rf"writer.lock: process {os.getpid()} is writing"):
        open_log()
    log.close()
    open_log().append([draft()])


def test_a_second_process_waits_for_the_first(tmp_path: Path, open_log: Open) -> None:
    program = (
        "import sys; from pathlib import Path; from onward.eventlog.sqlite import SqliteLog\n"
        "log = SqliteLog(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with child:
        assert child.stdout and child.stdin
        assert child.stdout.readline() == b"open\n"
        with pytest.raises(LogUnavailable, match=f"process {child.pid} "):
            open_log()
        child.kill()
        log = open_log(lock_timeout=30)
    log.append([draft()])


# Full disks


def test_what_does_not_fit_is_not_in_the_log(tmp_path: Path, open_log: Open) -> None:
    log = open_log()
    log.append([draft(count=2)])
    assert log._connection
    pages = log._connection.execute("PRAGMA page_count").fetchone()[0]
    log._connection.execute(f"PRAGMA max_page_count = {pages + 3}")
    with pytest.raises(LogFull, match="disk is full"):
        log.append([draft(), draft(source="b"), draft(body=bytes(50_000))])
    assert {source: head.seq for source, head in log.heads().items()} == {"a": 2}
    log.append([draft(), draft(source="b"), draft(body=bytes(50_000))])
    assert [record.first_seq for record in log.scan(0, 10)] == [0, 2, 0, 3]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"needs the right to mount a small tmpfs (run as root): {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.parametrize("slice_ms", [1_000_000, 20], ids=["in one slice", "while rolling over"])
def test_a_really_full_disk(small_disk: Path, open_log: Open, slice_ms: int) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1 << 20))
    log = open_log(small_disk / "log", slice_ms=slice_ms, checkpoint_bytes=100_000)
    reader = SqliteReader(small_disk / "log")
    accepted, refused, at = 0, 0, 0
    while refused < 20:
        at += 1
        try:
            log.append([draft(at, body=os.urandom(9000)), draft(at, source="b", count=2)])
            accepted += 1
        except LogFull:
            refused += 1
    assert accepted > 20
    assert {source: head.seq for source, head in reader.heads().items()} == {"a": accepted, "b": 2 * accepted}
    ballast.unlink()
    for _ in range(10):
        log.append([draft(at), draft(at, source="b", count=2)])
    accepted += 10
    assert {source: head.seq for source, head in reader.heads().items()} == {"a": accepted, "b": 2 * accepted}
    records = reader.read("a", 0, 1000)
    assert [record.first_seq for record in records] == list(range(accepted))
    reader.close()
    log.close()


def test_pruning_frees_a_full_disk(small_disk: Path, open_log: Open) -> None:
    log = open_log(small_disk / "log", retention_bytes=1 << 20, checkpoint_bytes=100_000)
    with pytest.raises(LogFull):
        for at in range(10_000):
            log.append([draft(at, body=os.urandom(9000))])
    assert log.prune(0) > 1 << 20
    log.append([draft(10_000, body=os.urandom(9000))])


def test_the_reserve_is_kept_free(tmp_path: Path, open_log: Open) -> None:
    log = open_log(reserve_bytes=1 << 60)
    with pytest.raises(LogFull, match="are the reserve; free disk space"):
        log.append([draft()])
    assert names(tmp_path) == []


def test_free_space_is_not_asked_for_every_commit(open_log: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    usage = shutil.disk_usage
    monkeypatch.setattr("shutil.disk_usage", lambda path: (asked.append(path), usage(path))[1])
    log = open_log()
    for _ in range(20):
        log.append([draft()])
    assert 1 <= len(asked) < 20


# Damage and leftovers


def test_a_damaged_newest_slice_is_named_with_the_remedy(tmp_path: Path, open_log: Open) -> None:
    log = open_log()
    log.append([draft()])
    log.close()
    broken = tmp_path / names(tmp_path)[-1]
    broken.write_bytes(os.urandom(10_000))
    with pytest.raises(LogUnavailable, match=f"{broken.name} is damaged.*move it") as failure:
        open_log()
    assert str(tmp_path) in str(failure.value)
    with pytest.raises(LogUnavailable, match="is damaged"):
        SqliteReader(tmp_path).read("a", 0, 1)
    broken.unlink()
    assert open_log().append([draft()])[0].seq == 1


def test_a_damaged_old_slice_is_a_hole_and_not_a_stop(tmp_path: Path, open_log: Open) -> None:
    log = open_log()
    for at in (0, 500, 1000, 1500, 2000, 2500):
        log.append([draft(at, count=10)])
    reader = SqliteReader(tmp_path)
    (tmp_path / names(tmp_path)[1]).write_bytes(os.urandom(20_000))
    assert [record.first_seq for record in reader.read("a", 0, 100)] == [0, 10, 40, 50]
    assert [record.first_seq for record in reader.scan(0, 100)] == [0, 10, 40, 50]
    assert reader.heads() == log.heads()
    log.append([draft(3000)])
    assert len(reader.read("a", 0, 100)) == 5
    reader.close()


def test_another_format_is_refused_with_the_remedy(tmp_path: Path, open_log: Open) -> None:
    log = open_log()
    log.append([draft()])
    log.close()
    connection = sqlite3.connect(tmp_path / names(tmp_path)[0])
    with connection:
        connection.execute("UPDATE slice SET format = 99")
    connection.close()
    with pytest.raises(LogUnavailable, match="has format 99, this version writes 1; run the version"):
        open_log()


def test_what_a_crash_left_is_removed_and_nothing_else(tmp_path: Path, open_log: Open) -> None:
    log = open_log()
    log.append([draft()])
    log.close()
    kept = names(tmp_path)[0]
    stale = [f"{2:016d}-{2:013d}.db{end}" for end in ("-wal", "-shm", ".new", ".new-wal", ".new-journal")]
    for name in [*stale, "notes.txt", f"{kept}-wal"]:
        (tmp_path / name).touch()
    open_log()
    left = {path.name for path in tmp_path.iterdir()}
    assert left & set(stale) == set()
    assert {kept, "notes.txt"} <= left


def test_a_reader_without_a_seal_finds_the_next_slice_by_listing(tmp_path: Path, open_log: Open) -> None:
    log = open_log()
    log.append([draft()])
    patient, quick = SqliteReader(tmp_path, relist_seconds=1000), SqliteReader(tmp_path, relist_seconds=0)
    first = slices.listing(tmp_path)[0]
    for reader in (patient, quick):
        assert len(reader.read("a", 0, 10)) == 1
    log.append([draft(5000)])
    connection = sqlite3.connect(tmp_path / first.name)
    with connection:
        connection.execute("UPDATE slice SET sealed = 0")
    connection.close()
    assert len(patient.read("a", 0, 10)) == 1
    assert len(quick.read("a", 0, 10)) == 2
    log.close()
    open_log()  # as after a crash between the new slice and the seal of the old one
    assert len(patient.read("a", 0, 10)) == 2
    for reader in (patient, quick):
        reader.close()


def test_readers_let_go_of_deleted_slices(tmp_path: Path, open_log: Open) -> None:
    log = open_log(retention_ms=1000)
    for at in range(0, 20_000, 500):
        log.append([draft(at)])
    reader = SqliteReader(tmp_path, relist_seconds=0)
    assert len(reader.read("a", 0, 100)) == 40
    log.prune(20_000)
    reader.read("a", 0, 1)
    held = [os.readlink(path) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    assert not [path for path in held if path.startswith(str(tmp_path)) and "(deleted)" in path]
    reader.close()


def test_a_reader_keeps_few_files_open(tmp_path: Path, open_log: Open) -> None:
    log = open_log()
    for at in range(0, 40_000, 1000):
        log.append([draft(at)])
    reader = SqliteReader(tmp_path)
    assert len(reader.read("a", 0, 100)) == 40
    assert len(reader._open) <= 8
    log.append([draft(40_000)])
    assert reader.changed()
    reader.close()


def test_a_change_is_told_although_the_newest_slice_was_let_go_of(tmp_path: Path, open_log: Open) -> None:
    log = open_log()
    for at in range(0, 20_000, 1000):
        log.append([draft(at)])
    reader = SqliteReader(tmp_path)
    assert reader.changed()
    log.append([draft(19_001)])
    assert len(reader.read("a", 0, 19)) == 19
    assert slices.listing(tmp_path)[-1] not in reader._open
    assert reader.changed()
    assert not reader.changed()
    reader.close()


def test_a_silent_source_costs_a_search_and_not_a_visit_to_every_slice(
    tmp_path: Path, open_log: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_log()
    first = log.append([draft(0, "rare")])[0]
    for at in range(0, 30_000, 1000):
        log.append([draft(at, "busy")])
    last = log.append([draft(30_000, "rare")])[0]
    for at in range(30_000, 64_000, 1000):
        log.append([draft(at, "busy")])
    asked = []
    query = SqliteReader._query
    monkeypatch.setattr(SqliteReader, "_query", lambda *of: (asked.append(of), query(*of))[1])
    reader = SqliteReader(tmp_path)
    assert [record.end for record in reader.read("rare", first.offset, 1)] == [last]
    assert len(asked) < 10
    reader.close()


def test_a_writer_that_gets_ahead_between_two_queries_hides_nothing(
    tmp_path: Path, open_log: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer adds two records, sometimes one on either side of a roll-over, before every query."""
    log = open_log()
    ends = log.append([draft()])
    reader = SqliteReader(tmp_path, relist_seconds=1000)
    query = SqliteReader._query

    def interleaved(self: SqliteReader, *of: object) -> object:
        for _ in range(2):
            if self is reader and len(ends) < 400:
                ends.extend(log.append([draft(len(ends) * 130)]))
        return query(self, *of)  # type: ignore[arg-type]

    monkeypatch.setattr(SqliteReader, "_query", interleaved)
    found: list[Record] = []
    while part := reader.read("a", found[-1].offset if found else 0, 1000):
        found += part
        known = len(ends)
        assert reader.heads()["a"] >= ends[known - 1]
        assert reader.seek("a", found[-1].received_at) == Position(found[-1].offset - 1, found[-1].first_seq)
        assert reader.scan(found[-1].offset - 1, 1) == found[-1:]
    assert [record.end for record in found] == ends
    reader.close()
