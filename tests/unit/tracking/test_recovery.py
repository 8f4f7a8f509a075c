"""A start after a crash: the index and the ledger read from the log what they lost."""

import sqlite3
from pathlib import Path

from onward.eventlog.memory import MemoryLog
from onward.tracking.dedupe import MemoryDedupe
from onward.tracking.ledger import Ledger

from .door import APP, SITE, Door, track


async def test_ids_and_counts_come_back_from_the_log(tmp_path: Path) -> None:
    log = MemoryLog()
    async with Door(tmp_path / _made(tmp_path, "a"), log=log) as door:
        await door.post(
            "/v1/batch", {"batch": [track("1"), track(), {"type": "track"}, track("1"), track("2")]}
        )
        await door.post("/v1/page", {"userId": "u", "messageId": "3", "name": "Home"})
        assigned = door.ids()[1]
        # The crash: nothing of the index is persisted, and the ledger only has its beginning.
        crashed = _ledger_at(tmp_path / "b", 0)
    async with Door(crashed, log=log, index=MemoryDedupe()) as door:
        assert door.counts() == {("accepted", "", "track"): 3, ("accepted", "", "page"): 1}
        for message_id in ("1", "2", "3", assigned):
            await door.post("/v1/track", track(message_id))
        await door.post("/v1/track", track("4"), key="key-app")
        assert len(door.stored()) == 4
        assert door.total("duplicate") == 4
        assert door.ids(APP) == ["4"]


async def test_only_what_is_missing_is_read(tmp_path: Path) -> None:
    log, index = MemoryLog(), MemoryDedupe()
    async with Door(tmp_path, log=log, index=index) as door:
        await door.post("/v1/track", track("1"))
        assert door.total("accepted") == 1
    async with Door(tmp_path, log=log, index=index) as door:
        assert door.total("accepted") == 1
        await door.post("/v1/track", track("1"))
        assert door.ids() == ["1"]
        assert door.total("duplicate") == 1


async def test_a_new_ledger_begins_at_the_end_of_the_log(tmp_path: Path) -> None:
    log = MemoryLog()
    async with Door(tmp_path / _made(tmp_path, "a"), log=log) as door:
        await door.post("/v1/track", track("1"))
    async with Door(tmp_path / _made(tmp_path, "b"), log=log) as door:
        assert door.counts() == {}
        await door.post("/v1/track", track("2"))
        assert door.total("accepted") == 1
        assert door.ids(SITE) == ["1", "2"]


async def test_an_event_outside_of_the_window_is_no_repeat(tmp_path: Path) -> None:
    log = MemoryLog()
    async with Door(tmp_path, log=log) as door:
        await door.post("/v1/track", track("1"))
    async with Door(tmp_path, log=log, dedupe_hours=0.0) as door:
        await door.post("/v1/track", track("1"))
        assert door.ids() == ["1", "1"]


def _made(folder: Path, name: str) -> str:
    (folder / name).mkdir(exist_ok=True)
    return name


def _ledger_at(folder: Path, offset: int) -> Path:
    folder.mkdir()
    ledger = Ledger(folder / "ingest.db")
    ledger.begin(offset)
    ledger.close()
    with sqlite3.connect(folder / "ingest.db") as db:
        assert db.execute("select offset from covered").fetchone() == (offset,)
    return folder
