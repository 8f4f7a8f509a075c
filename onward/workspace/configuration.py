"""The configuration that an asyncio process works by: the newest snapshot, followed.

A change is in force within `REFRESH_EVERY` of its commit. Who meets something that the snapshot does not
know (a write key) may be ahead of it, and asks for the `newest`: what was committed before the question is
in the answer. Many that ask at once share one look, so that a flood of bad keys costs little.
"""

import asyncio
import sqlite3

import structlog

from onward.workspace.errors import WorkspaceError
from onward.workspace.snapshot import Snapshot
from onward.workspace.watch import SnapshotWatcher

REFRESH_EVERY = 0.25
"""Seconds between looks at the configuration: a change is in force well within two seconds."""
LOOK_AFTER = 0.02
"""Seconds between looks that were asked for."""

log = structlog.get_logger("onward.configuration")


class Configuration:
    """The snapshot in use. Reading `current` costs nothing; `follow` keeps it up to date."""

    def __init__(self, watcher: SnapshotWatcher) -> None:
        self._watcher = watcher
        self._look: asyncio.Task[None] | None = None
        self.error: str | None = None
        """Why the newest configuration can't be read; the one before stays in use."""

    @property
    def current(self) -> Snapshot:
        return self._watcher.current

    def snapshot(self) -> Snapshot:
        return self._watcher.current

    async def newest(self) -> Snapshot:
        """The configuration as it is now, or the last one that could be read."""
        if self._look is None:
            self._look = asyncio.create_task(self._look_soon())
        await asyncio.shield(self._look)
        return self.current

    async def follow(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_EVERY)
            self._refresh()

    async def _look_soon(self) -> None:
        await asyncio.sleep(LOOK_AFTER)
        self._look = None
        self._refresh()

    def _refresh(self) -> None:
        try:
            if self._watcher.refresh():
                log.info("configuration in use", version=self.current.version)
            self.error = None
        except (sqlite3.Error, WorkspaceError) as error:
            if self.error is None:
                log.error("configuration can't be read", error=str(error))
            self.error = str(error)
