"""A destination's parked payloads: when the next is due, and which of them are in memory."""

import asyncio
import math
from collections.abc import AsyncIterator, Set
from contextlib import asynccontextmanager

from onward.delivery.state.protocol import Changes, Parked, StateStore

CLAIM = 500
"""Parked payloads taken up at a time."""
TRIED = 1_000
"""Payloads that probes remember to have tried."""


class Parking:
    def __init__(self, store: StateStore, destination_id: str, next_due: float | None) -> None:
        self.next_due = next_due
        """When the first that is not in memory is due (s since the epoch); None if there is none."""
        self._store = store
        self._destination_id = destination_id
        self._claiming = asyncio.Lock()
        self._claimed: set[int] = set()
        """In memory, until what became of them is committed."""
        self._tried: set[int] = set()
        """What probes have had their turn with."""
        self.largest_batch = 1
        """That was sent: three of them fit into memory, so that what failed fills as large ones again."""

    @property
    def has_room(self) -> bool:
        """Whether more may be taken into memory."""
        return len(self._claimed) < max(2 * CLAIM, 3 * self.largest_batch)

    async def take_due(self, now: float) -> list[Parked]:
        """What is due, claimed; bulk batches whole. Empty if a lot is in memory already."""
        if self.next_due is None or self.next_due > now or not self.has_room:
            return []
        async with self._claiming:
            return await self._take_due(now)

    async def _take_due(self, now: float) -> list[Parked]:
        self.next_due = None  # a commit may set it again in the meantime
        claimed = set(self._claimed)
        try:
            parked = await asyncio.to_thread(self._store.due, self._destination_id, now, CLAIM, claimed)
            claimed.update(each.id for each in parked)
            next_due = await asyncio.to_thread(self._store.next_due, self._destination_id, claimed)
        except BaseException:
            self._due_at(now)
            raise
        self._claimed.update(each.id for each in parked)
        self._due_at(next_due)
        return parked

    async def take_another(self) -> list[Parked]:
        """A payload (or bulk batch) to probe with, claimed, whether it is due or not: each in its turn."""
        async with self._claiming:
            return await self._take_another()

    async def _take_another(self) -> list[Parked]:
        parked = await self._any_but(self._claimed | self._tried)
        if not parked and self._tried:
            self._tried = set()
            parked = await self._any_but(set(self._claimed))
        ids = {each.id for each in parked}
        self._claimed |= ids
        self._tried = ids if len(self._tried) >= TRIED else self._tried | ids
        return parked

    async def _any_but(self, besides: set[int]) -> list[Parked]:
        parked = await asyncio.to_thread(self._store.due, self._destination_id, math.inf, 1, besides)
        bulk_id = parked[0].bulk_id if parked else 0
        return [each for each in parked if each.bulk_id == bulk_id] if bulk_id else parked[:1]

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[Set[int]]:
        """While nothing more is taken up: what is in memory already."""
        async with self._claiming:
            yield frozenset(self._claimed)

    def release(self, parked_id: int) -> None:
        """Let go of one without an outcome: it is due at once."""
        self._claimed.discard(parked_id)
        self.next_due = 0.0

    def committed(self, changes: Changes) -> None:
        self._claimed.difference_update(changes.unpark)
        for repark in changes.repark:
            self._claimed.discard(repark.id)
            self._due_at(repark.due_at)
        for parked in changes.park:
            self._due_at(parked.due_at)

    def _due_at(self, due_at: float | None) -> None:
        if due_at is not None:
            self.next_due = due_at if self.next_due is None else min(self.next_due, due_at)
