"""The index on disk and its twin in memory, by the same rules; and what a kill leaves behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from onward.tracking.dedupe import DedupeIndex, MemoryDedupe, RocksDedupe, keys, prefix

DAY = 24 * 3600


@pytest.fixture(params=["rocks", "memory"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DedupeIndex]:
    opened: DedupeIndex = RocksDedupe(tmp_path / "dedupe") if request.param == "rocks" else MemoryDedupe()
    yield opened
    opened.close()


def test_what_was_recorded_is_seen_for_the_window(index: DedupeIndex) -> None:
    a, b, c = keys(b"ws\0", ["a", "b", "c"])
    assert index.seen([a, b, c], 0) == set()
    assert index.offset() == 0
    now = int(time.time())
    index.record([a], now - DAY - 5, 7)
    index.record([c], now, 9)
    assert index.offset() == 9
    assert index.seen([a, b, c], now - DAY) == {2}
    assert index.seen([a, b, c], now - DAY - 5) == {0, 2}
    index.record([a], now, 10)
    assert index.seen([a], now - DAY) == {0}
    assert index.seen([], 0) == set()


def test_scopes_do_not_meet() -> None:
    scopes = {prefix("ws", "src", scope) for scope in ("workspace", "source", "global")}
    assert len({key for scope in scopes for key in keys(scope, ["a" * 10_000])}) == 3
    assert prefix("ws", "a", "workspace") == prefix("ws", "b", "workspace")


def test_it_is_all_there_after_a_close(tmp_path: Path) -> None:
    index = RocksDedupe(tmp_path / "dedupe")
    many = keys(b"", map(str, range(10_000)))
    index.record(many, 1000, 42)
    index.close()
    index = RocksDedupe(tmp_path / "dedupe")
    assert index.offset() == 42
    assert index.seen(many, 1000) == set(range(10_000))
    index.close()


WRITER = """
import sys, time
from pathlib import Path
from onward.tracking.dedupe import RocksDedupe, keys
index = RocksDedupe(Path(sys.argv[1]))
for group in range(1, 1 << 40):
    index.record(keys(b"", [f"{group}-{at}" for at in range(200)]), 1000, group)
    if group % 50 == 0:
        index.flush()
        print(group, flush=True)
"""


@pytest.mark.parametrize("after", [1, 3, 12])
def test_what_a_kill_leaves_is_a_prefix(tmp_path: Path, after: int) -> None:
    path = tmp_path / "dedupe"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    for _ in range(after):
        assert writer.stdout.readline()
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    index = RocksDedupe(path)
    offset = index.offset()
    for group in range(1, offset + 1):
        group_keys = keys(b"", [f"{group}-{at}" for at in range(200)])
        assert len(index.seen(group_keys, 1000)) == 200, f"ids of group {group} are gone, offset {offset}"
    assert index.seen(keys(b"", [f"{offset + 1}-{at}" for at in range(200)]), 1000) == set()
    index.close()
