"""The commits of what is counted: one after another, whatever is cancelled or fails between them."""

import asyncio
import sqlite3
import threading

import pytest

from onward.metering import counting as module
from onward.metering.counting import Counting
from onward.metering.query import Question
from onward.workspace.snapshot import Snapshot

from .test_meter import ALWAYS, users
from .test_meter import Counting as Counted


class Slow:
    """The commits of a store that wait until they are let through, and may fail."""

    def __init__(self, commit):
        self._commit = commit
        self.begun = []
        self.through = threading.Event()
        self.error = None

    def __call__(self, counted):
        self.begun.append(counted)
        assert self.through.wait(30)
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        self._commit(counted)


@pytest.fixture
def counted(tmp_path, monkeypatch):
    monkeypatch.setattr("onward.metering.meter.PATIENCE", 0.0)
    monkeypatch.setattr(module, "EVERY", 0.01)
    return Counted(tmp_path)


@pytest.fixture
def slow(counted, monkeypatch):
    slow = Slow(counted.store.commit)
    monkeypatch.setattr(counted.store, "commit", slow)
    return slow


@pytest.fixture
def counting(counted):
    def heads():
        counted.cache.changed()
        return counted.log.heads()

    return Counting(counted.meter, counted.store, heads, lambda: Snapshot(version=1))


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)


def stored(counted):
    counted.die()  # what is only in memory is gone
    return counted.store.volume(["s"], Question(**ALWAYS)).total


async def test_a_stop_waits_for_the_commit_under_way(counting, counted, slow):
    counted.send(users(3))
    running = asyncio.create_task(counting.run())
    await until(lambda: slow.begun)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    counted.send(users(2))
    counted.see()
    counted.see()
    last = asyncio.create_task(counting.commit())
    await asyncio.sleep(0.02)
    assert len(slow.begun) == 1 and not last.done()
    slow.through.set()
    await last
    assert len(slow.begun) == 2
    assert stored(counted) == 5


async def test_what_could_not_be_stored_is_counted_again(counting, counted, slow):
    counted.send(users(3))
    slow.error = sqlite3.OperationalError("database or disk is full")
    slow.through.set()
    running = asyncio.create_task(counting.run())
    await until(lambda: len(slow.begun) > 1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await counting.commit()
    assert stored(counted) == 3
