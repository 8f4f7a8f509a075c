"""A destination's parked payloads: when the next is due, and which of them are in memory."""

import asyncio
import math

from onward.delivery.state.protocol import Changes, Parked, StateStore

CLAIM = 500
"""Parked payloads taken up at a time."""


class Parking:
    def __init__(self, store: StateStore, destination_id: str, next_due: float | None) -> None:
        self.next_due = next_due
        """When the first that is not in memory is due (s since the epoch); None if there is none."""
        self._store = store
        self._destination_id = destination_id
        self._claimed: set[int] = set()
        """In memory, until what became of them is committed."""

    @property
    def has_room(self) -> bool:
        """Whether more may be taken into memory."""
        return len(self._claimed) < 2 * CLAIM

    async def take_due(self, now: float) -> list[Parked]:
        """What is due, claimed; bulk batches whole. Empty if a lot is in memory already."""
        if self.next_due is None or self.next_due > now or not self.has_room:
            return []
        self.next_due = None
        claimed = set(self._claimed)
        parked = await asyncio.to_thread(self._store.due, self._destination_id, now, CLAIM, claimed)
        self._claimed.update(each.id for each in parked)
        claimed.update(self._claimed)
        self._due_at(await asyncio.to_thread(self._store.next_due, self._destination_id, claimed))
        return parked

    async def take_oldest(self) -> list[Parked]:
        """The payload (or bulk batch) that is due first, claimed, whether it is due or not."""
        claimed = set(self._claimed)
        parked = await asyncio.to_thread(self._store.due, self._destination_id, math.inf, 1, claimed)
        self._claimed.update(each.id for each in parked)
        return parked

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
