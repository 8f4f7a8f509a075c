"""The metering of a process: what is counted is stored about once a second, in the order it was counted.

What if the process stops here? A commit that is under way is waited for, and what was counted meanwhile
is stored after it: never before, as its cursor would tell that the former is stored too. What if it dies:
see `meter`.
"""

import asyncio
import time
from collections.abc import Callable, Mapping

import structlog

from onward.eventlog.protocol import Position
from onward.metering.meter import Meter
from onward.metering.store import Counted, UsageStore
from onward.workspace.snapshot import Snapshot

EVERY = 1.0
"""Seconds between commits of what came in."""

log = structlog.get_logger()


class Counting:
    def __init__(
        self,
        meter: Meter,
        store: UsageStore,
        heads: Callable[[], Mapping[str, Position]],
        snapshot: Callable[[], Snapshot],
    ) -> None:
        """`heads` tells how far the log of each source reaches."""
        self._meter = meter
        self._store = store
        self._heads = heads
        self._snapshot = snapshot
        self._committing = asyncio.Lock()

    async def run(self) -> None:
        """Count what came in, by turns with everything else of the process, for ever."""
        while True:
            until = time.monotonic() + EVERY
            try:
                while time.monotonic() < until:
                    if not self._meter.count(self._heads()):
                        break
                    await asyncio.sleep(0)
                await asyncio.shield(self.commit())
            except Exception:
                log.exception("events can't be counted; trying again")
                self._meter.forget()
                until = time.monotonic() + EVERY
            await asyncio.sleep(max(0.0, until - time.monotonic()))

    async def commit(self) -> None:
        """Store what was counted. Raises what the store does; then it is counted again from the log."""
        async with self._committing:
            counted = self._taken()
            if not counted:
                return
            try:
                await asyncio.to_thread(self._store.commit, counted)
            except Exception:
                self._meter.forget()
                raise

    def _taken(self) -> dict[str, tuple[str, Counted]]:
        """What was counted since the last time, by source, with the workspace of each."""
        sources = self._snapshot().source_by_id
        return {
            id: (sources[id].workspace_id if id in sources else "", counted)
            for id, counted in self._meter.take().items()
        }
