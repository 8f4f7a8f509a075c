"""kill -9 of a real writing process, while another process's reader follows the end of the log."""

import os
import random
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from onward.eventlog.sqlite import SqliteLog, SqliteReader

from .writer_process import SOURCES

PROGRAM = Path(__file__).with_name("writer_process.py")


class Acknowledged:
    """Starts writers and reads what they were told is on disk: the highest seq of each source."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seqs = dict.fromkeys(SOURCES, 0)

    def start(self, slice_ms: int, place: str = "-") -> subprocess.Popen[bytes]:
        command = [sys.executable, str(PROGRAM), str(self.folder), str(slice_ms), place]
        return subprocess.Popen(command, stdout=subprocess.PIPE)

    def collect(self, child: subprocess.Popen[bytes]) -> None:
        """Take in what the child has printed since."""
        assert child.stdout
        os.set_blocking(child.stdout.fileno(), False)
        self.take(child.stdout.read() or b"")

    def take(self, text: bytes) -> None:
        # The child writes whole lines, fewer at a time than a pipe may tear apart.
        for line in text.decode().splitlines():
            source, seq = line.split()
            assert int(seq) > self.seqs[source]
            self.seqs[source] = int(seq)


class Follower:
    """Reads every source to its end and checks that each event comes once, in order, as it was written."""

    def __init__(self, folder: Path) -> None:
        self.reader = SqliteReader(folder)
        self.offsets = dict.fromkeys(SOURCES, 0)
        self.seqs = dict.fromkeys(SOURCES, 0)

    def follow(self) -> None:
        self.reader.changed()
        for source in SOURCES:
            while records := self.reader.read(source, self.offsets[source], 64):
                for record in records:
                    assert record.first_seq == self.seqs[source]
                    assert record.body.startswith(f"{source} {record.first_seq} ".encode())
                    assert record.offset > self.offsets[source]
                    self.offsets[source], self.seqs[source] = record.offset, record.end.seq


def test_killed_in_the_middle_of_writing_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    told, follower = Acknowledged(tmp_path), Follower(tmp_path)
    for _ in range(6):
        child = told.start(slice_ms=10)
        enough = sum(told.seqs.values()) + random.randint(1, 600)
        while sum(told.seqs.values()) < enough:
            told.collect(child)
            follower.follow()
            assert child.poll() is None
        child.kill()
        child.wait()
        told.collect(child)
        follower.follow()
        assert all(follower.seqs[source] >= told.seqs[source] for source in SOURCES)
    with_fresh_eyes = Follower(tmp_path)
    with_fresh_eyes.follow()
    assert with_fresh_eyes.seqs == follower.seqs


@pytest.mark.parametrize(
    "place",
    [
        "roll before create",
        "roll before rename",
        "roll after rename",
        "roll after create",
        "roll before open_to_write",
        "prune before delete",
        "prune before unlink",
        "prune after unlink",
        "prune after delete",
    ],
)
def test_killed_while_rolling_over_or_pruning(tmp_path: Path, place: str) -> None:
    told = Acknowledged(tmp_path)
    child = told.start(20, place)
    told.take(child.communicate(timeout=60)[0])
    assert child.returncode == -9
    log = SqliteLog(tmp_path, reserve_bytes=0, slice_ms=20)
    assert not [path.name for path in tmp_path.iterdir() if ".new" in path.name]
    reader = SqliteReader(tmp_path)
    for source in SOURCES:
        records = reader.read(source, 0, 1 << 30)
        end = reader.heads()[source]
        assert end.seq >= told.seqs[source] > 0
        assert not records or records[-1].end == end
        for record, following in pairwise(records):
            assert following.first_seq == record.end.seq
            assert record.body.startswith(f"{source} {record.first_seq} ".encode())
    assert reader.heads() == log.heads()
    reader.close()
    log.close()
