"""The configuration that a process follows, and asks for when it meets what it does not know."""

import asyncio
import sqlite3

import pytest

from onward.workspace import sources
from onward.workspace.configuration import Configuration
from onward.workspace.store import Store

from .conftest import ACTOR, Workspace


def _add(store: Store, workspace_id: str, slug: str) -> str:
    with store.changing(workspace_id, ACTOR) as editor:
        source = sources.create_source(editor, slug=slug, kind="go")
        return str(source.write_keys[0].key)


async def test_what_was_committed_before_is_in_the_newest(
    workspace: Workspace, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = Configuration(workspace.watcher)
    looks = []
    refresh = workspace.watcher.refresh
    monkeypatch.setattr(workspace.watcher, "refresh", lambda: [looks.append(1), refresh()][1])

    first = _add(store, workspace.id, "first")
    early = [asyncio.create_task(configuration.newest()) for _ in range(100)]
    await asyncio.sleep(0)
    late = _add(store, workspace.id, "late")
    both = [*early, asyncio.create_task(configuration.newest())]
    for snapshot in await asyncio.gather(*both):
        assert {first, late} <= snapshot.source_by_write_key.keys()
    assert len(looks) == 1, "they share one look"

    after = _add(store, workspace.id, "after")
    assert after in (await configuration.newest()).source_by_write_key
    assert len(looks) == 2


async def test_one_that_gives_up_takes_nobody_along(workspace: Workspace, store: Store) -> None:
    configuration = Configuration(workspace.watcher)
    impatient, patient = (asyncio.create_task(configuration.newest()) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    key = _add(store, workspace.id, "first")
    assert key in (await patient).source_by_write_key


async def test_what_can_not_be_read_leaves_the_last(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = Configuration(workspace.watcher)
    before = configuration.current

    def broken() -> bool:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(workspace.watcher, "refresh", broken)
        assert await configuration.newest() is before
        assert configuration.error == "disk I/O error"
    await configuration.newest()
    assert configuration.error is None
