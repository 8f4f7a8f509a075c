"""One writer: what fails fails alone, and no id counts before its event is on disk."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from onward.eventlog.memory import MemoryLog
from onward.eventlog.protocol import Draft, Position
from onward.tracking import committer
from onward.tracking.dedupe import MemoryDedupe

from .door import SITE, Door, track


class Hesitant(MemoryLog):
    """Fails as told, and counts its group commits."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: list[Exception] = []
        self.groups: list[int] = []

    def append(self, drafts: Sequence[Draft]) -> list[Position]:
        if self.failures:
            raise self.failures.pop(0)
        self.groups.append(len(drafts))
        return super().append(drafts)


class Forgetful(MemoryDedupe):
    """Can't record, as told."""

    failures = 0

    def record(self, keys: object, at: int, offset: int) -> None:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("index trouble")
        super().record(keys, at, offset)  # type: ignore[arg-type]


@pytest.mark.parametrize("error", [OSError("disk"), RuntimeError("bug"), ValueError("bug")])
async def test_a_group_that_fails_fails_alone(tmp_path: Path, error: Exception) -> None:
    log = Hesitant()
    async with Door(tmp_path, log=log) as door:
        log.failures = [error]
        reply = await door.post("/v1/track", track("1"))
        assert reply.status == 503
        assert "retry-after" in reply.headers
        assert (await door.post("/v1/track", track("1"))).status == 200
        assert door.ids() == ["1"]
        assert door.total("duplicate") == 0


async def test_an_index_that_could_not_record_is_brought_up_from_the_log(tmp_path: Path) -> None:
    index = Forgetful()
    async with Door(tmp_path, index=index) as door:
        index.failures = 1
        assert (await door.post("/v1/track", track("1"))).status == 200
        assert (await door.post("/v1/batch", {"batch": [track("1"), track("2")]})).status == 200
        assert door.ids() == ["1", "2"]
        assert (door.total("accepted"), door.total("duplicate")) == (2, 1)


async def test_while_the_index_is_behind_nothing_is_taken(tmp_path: Path) -> None:
    index = Forgetful()
    async with Door(tmp_path, index=index) as door:
        index.failures = 2
        assert (await door.post("/v1/track", track("1"))).status == 200
        assert (await door.post("/v1/track", track("1"))).status == 503
        assert (await door.post("/v1/track", track("1"))).status == 200
        assert door.ids() == ["1"]


async def test_many_requests_share_a_commit(tmp_path: Path) -> None:
    log = Hesitant()
    async with Door(tmp_path, log=log) as door:
        await asyncio.gather(*(door.post("/v1/track", track(str(at))) for at in range(300)))
        assert len(door.stored()) == 300
        assert len(log.groups) < 300
        assert door.tracking.waiting == (0, 0)


async def test_what_waits_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committer, "QUEUE_REQUESTS", 20)
    async with Door(tmp_path) as door:
        replies = await asyncio.gather(*(door.post("/v1/track", track(str(at))) for at in range(50)))
        statuses = [reply.status for reply in replies]
        assert statuses.count(503) == 30
        assert len(door.ids()) == 20
        assert door.tracking.waiting == (0, 0)


async def test_a_client_that_does_not_wait_for_its_answer_harms_nobody(tmp_path: Path) -> None:
    async with Door(tmp_path) as door:
        impatient = asyncio.ensure_future(door.post("/v1/track", track("1")))
        await asyncio.sleep(0)
        impatient.cancel()
        assert (await door.post("/v1/track", track("2"))).status == 200
        assert door.tracking.waiting == (0, 0)
        assert set(door.ids(SITE)) <= {"1", "2"}
