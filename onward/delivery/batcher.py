"""Events into batches: up to a count, up to so many bytes, and after a wait (spec §9.7, §11.4, §11.5).

Pure: the clock is passed in. Stream batches are formed anew for every attempt; bulk batches are handed
over once, and whoever gets them keeps them as they are.
"""

from typing import Any

import msgspec
import orjson

from onward.delivery.item import Batch, Item, batch_key
from onward.workspace.snapshot import DeliveryPolicy


class _Open(msgspec.Struct, gc=False):
    items: list[Item]
    count: int
    bytes: int
    deadline: float
    bulk: bool


class Batcher:
    def __init__(self, policy: DeliveryPolicy) -> None:
        self.policy = policy
        self._open: dict[tuple[Any, ...], _Open] = {}
        self.waiting = 0
        """Items in batches that are still open."""

    def add(self, item: Item, now: float) -> list[Batch]:
        """Take an item in; the batches that are ready to go because of it."""
        action, payload = item.target.action, item.payload
        if not (action.batches and payload.get("enable_batching") is True):
            return [Batch([item])]
        size = _limit(payload.get("batch_size"), action.default_batch_size, action.max_batch_size)
        room = _limit(payload.get("batch_bytes"), action.max_batch_bytes, action.max_batch_bytes)
        item.size = len(orjson.dumps(payload, option=orjson.OPT_NON_STR_KEYS))
        key = batch_key(item)
        ready: list[Batch] = []
        batch = self._open.get(key)
        if batch is not None and batch.bytes + item.size > room:
            ready.append(self._close(key))
            batch = None
        if batch is None:
            bulk = action.bulk_from is not None and size >= action.bulk_from
            wait = self.policy.bulk_wait if bulk else self.policy.batch_wait
            batch = self._open[key] = _Open([], size, 0, now + wait, bulk)
        batch.items.append(item)
        batch.bytes += item.size + 1
        self.waiting += 1
        if len(batch.items) >= min(size, batch.count):
            ready.append(self._close(key))
        return ready

    def due(self, now: float) -> list[Batch]:
        """The batches that have waited long enough."""
        return [self._close(key) for key, batch in list(self._open.items()) if batch.deadline <= now]

    @property
    def next_due(self) -> float | None:
        return min((batch.deadline for batch in self._open.values()), default=None)

    def take_all(self) -> list[Item]:
        """Everything that waits, taken out again."""
        items = [item for batch in self._open.values() for item in batch.items]
        self._open.clear()
        self.waiting = 0
        return items

    def _close(self, key: tuple[Any, ...]) -> Batch:
        batch = self._open.pop(key)
        self.waiting -= len(batch.items)
        return Batch(batch.items, bulk=batch.bulk)


def _limit(asked: Any, default: int, most: int) -> int:
    """A batch limit from a mapped field: a positive number, no higher than the action takes."""
    if isinstance(asked, int | float) and not isinstance(asked, bool) and asked >= 1:
        return min(int(asked), most)
    return default
