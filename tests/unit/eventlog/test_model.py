"""The SQLite log against a list: any order of appends, roll-overs, prunes, reopenings and crashes.

A crash is what a killed process or a power cut leaves: a copy of the files as they are between two
calls, without the shared memory, and with a torn write at the end of the WAL.
"""

import shutil
import tempfile
from itertools import count
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from onward.eventlog.protocol import Draft, Position, Record
from onward.eventlog.sqlite import SqliteLog, SqliteReader

SLICE = 100
RETENTION = 300
SOURCES = ("a", "b", "c")

drafts = st.builds(
    Draft,
    source_id=st.sampled_from(SOURCES),
    received_at=st.integers(-40, 10),  # relative to the machine's clock
    count=st.integers(0, 5),
    body=st.binary(max_size=3) | st.sampled_from([5000, 70_000]).map(bytes),
)


class LogModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folders = (Path(self.root.name) / str(number) for number in count())
        self.root = tempfile.TemporaryDirectory(prefix="onward-log-")
        self.records: list[Record] = []
        self.heads: dict[str, Position] = {}
        self.pruned = 0
        """Records at the start of the list that retention has removed."""
        self.now = 1000
        self.cursors = dict.fromkeys(SOURCES, 0)

    @initialize(limited=st.booleans())
    def begin(self, limited: bool) -> None:
        self.retention_bytes = 400_000 if limited else None
        self.folder = next(self.folders)
        self.open()

    def open(self) -> None:
        self.log = SqliteLog(
            self.folder,
            slice_ms=SLICE,
            retention_ms=RETENTION,
            retention_bytes=self.retention_bytes,
            reserve_bytes=0,
            checkpoint_bytes=65_536,
            lock_timeout=0,
            clock=lambda: 0,
        )
        self.follower = SqliteReader(self.folder, relist_seconds=1000)

    def teardown(self) -> None:
        self.log.close()
        self.follower.close()
        self.root.cleanup()

    # What happens to a log

    @rule(group=st.lists(drafts, min_size=1, max_size=5))
    def append(self, group: list[Draft]) -> None:
        timed = [Draft(each.source_id, self.now + each.received_at, each.count, each.body) for each in group]
        for draft, end in zip(timed, self.log.append(timed), strict=True):
            last = self.records[-1] if self.records else None
            before = self.heads.get(draft.source_id, Position())
            assert end.offset > (last.offset if last else 0)
            assert end.seq == before.seq + draft.count
            self.heads[draft.source_id] = end
            (written,) = self.log.scan(end.offset - 1, 1)
            assert written.received_at >= max(draft.received_at, last.received_at if last else 0)
            expected = Record(
                end.offset, draft.source_id, written.received_at, before.seq, draft.count, draft.body
            )
            assert written == expected
            self.records.append(expected)

    @rule(milliseconds=st.sampled_from([1, 30, SLICE, 5 * SLICE]))
    def time_passes(self, milliseconds: int) -> None:
        self.now += milliseconds

    @rule()
    def prune(self) -> None:
        self.log.prune(self.now)
        kept = self.log.scan(0, 1)
        first = kept[0].offset if kept else (self.records[-1].offset + 1 if self.records else 0)
        before, self.pruned = self.pruned, sum(record.offset < first for record in self.records)
        assert self.pruned >= before
        if self.retention_bytes is None:
            assert all(record.received_at <= self.now - RETENTION for record in self.records[: self.pruned])
        self.follower.refresh()

    @rule()
    def reopen(self) -> None:
        self.log.close()
        self.follower.close()
        self.open()

    @rule(torn=st.binary(max_size=9000))
    def crash(self, torn: bytes) -> None:
        after = next(self.folders)
        after.mkdir()
        for path in self.folder.iterdir():
            if path.suffix == ".db" or path.name.endswith(".db-wal"):
                shutil.copy(path, after)
        for wal in after.glob("*-wal"):
            with wal.open("ab") as file:
                file.write(torn)
        self.log.close()
        self.follower.close()
        self.folder = after
        self.open()

    @rule(source=st.sampled_from(SOURCES), limit=st.integers(1, 4))
    def follow(self, source: str, limit: int) -> None:
        """A reader that never lists the folder by itself keeps up all the same."""
        expected = self.kept(source, self.cursors[source])
        found = self.follower.read(source, self.cursors[source], limit)
        assert found == expected[:limit]
        if found:
            self.cursors[source] = found[-1].offset

    # What must hold

    def kept(self, source: str, after: int = 0) -> list[Record]:
        return [r for r in self.records[self.pruned :] if r.source_id == source and r.offset > after]

    @invariant()
    def everything_kept_can_be_read(self) -> None:
        assert self.log.scan(0, 10_000) == self.records[self.pruned :]
        assert self.log.heads() == self.follower.heads() == self.heads
        for source in SOURCES:
            assert self.log.read(source, 0, 10_000) == self.kept(source)

    @precondition(lambda self: self.records)
    @rule(data=st.data(), source=st.sampled_from(SOURCES), step=st.integers(-1, 1))
    def seek(self, data: st.DataObject, source: str, step: int) -> None:
        at = data.draw(st.sampled_from(self.records)).received_at + step
        later = [record for record in self.kept(source) if record.received_at >= at]
        position = self.follower.seek(source, at)
        if later:
            assert position == Position(later[0].offset - 1, later[0].first_seq)
        else:
            assert position == self.heads.get(source, Position())

    @rule()
    def changes_are_told_once(self) -> None:
        self.follower.changed()
        assert not self.follower.changed()
        self.append([Draft("a", 0, 1, b"")])
        assert self.follower.changed()
        assert not self.follower.changed()


LogModel.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestModel = LogModel.TestCase
