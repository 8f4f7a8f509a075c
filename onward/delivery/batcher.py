"""Events into batches: up to a count, up to so many bytes, and after a wait (spec §9.7, §11.4, §11.5).

Pure: the clock is passed in. Stream batches are formed anew for every attempt; bulk batches are handed
over once, and whoever gets them keeps them as they are. Where what waits is in the way of what comes after
it (`make_room`), stream batches go out as they are, and of bulk batches those that are there go ahead.
"""

import secrets
from typing import Any

import msgspec
import orjson

from onward.delivery.item import Batch, Item, batch_key
from onward.destinations.definition import Action
from onward.workspace.snapshot import DeliveryPolicy

EVENT_BYTES = 33_000
"""The largest event that the front door accepts (spec §3.3), and what is added to it."""


class _Open(msgspec.Struct, gc=False):
    items: list[Item]
    count: int
    bytes: int
    deadline: float
    bulk: bool
    bulk_id: int = 0
    ahead: int = 0
    """Items of a bulk batch that have gone ahead, under its id."""


class _Limits(msgspec.Struct, frozen=True):
    count: int
    bytes: int
    measured: bool
    """Whether items are measured: not where even the largest events could not reach the byte limit."""
    bulk: bool


class Batcher:
    def __init__(self, policy: DeliveryPolicy) -> None:
        self.policy = policy
        self._open: dict[tuple[Any, ...], _Open] = {}
        self._last_limits: tuple[Action, Any, Any, _Limits] | None = None
        self.next_due: float | None = None
        """When to ask `due` again: no open batch has waited long enough before."""
        self.waiting = 0
        """Items in batches that are still open."""

    def add(self, item: Item, now: float) -> list[Batch]:
        """Take an item in; the batches that are ready to go because of it."""
        action, payload = item.target.action, item.payload
        if action.batches_all:
            limits = self._limits(action, None, None)
        elif action.batches and payload.get("enable_batching") is True:
            limits = self._limits(action, payload.get("batch_size"), payload.get("batch_bytes"))
        else:
            return [Batch([item])]
        # A retry that belongs to no bulk batch is none's any more: its attempts are its own.
        bulk = limits.bulk and not item.parked_id
        try:
            if limits.measured:
                item.size = len(orjson.dumps(payload, option=orjson.OPT_NON_STR_KEYS))
            key = (bulk, *batch_key(item))
        except (TypeError, ValueError, RecursionError):
            return [Batch([item])]  # It is not JSON, so it costs itself, as the action will say.
        ready: list[Batch] = []
        batch = self._open.get(key)
        if batch is not None and batch.bytes + item.size > limits.bytes:
            ready += self._close(key)
            batch = None
        if batch is None:
            deadline = now + self._wait(action, bulk)
            batch = self._open[key] = _Open([], limits.count, 0, deadline, bulk)
            if self.next_due is None or deadline < self.next_due:
                self.next_due = deadline
        batch.items.append(item)
        batch.bytes += item.size + 1
        self.waiting += 1
        if batch.ahead + len(batch.items) >= min(limits.count, batch.count):
            ready += self._close(key)
        return ready

    def _limits(self, action: Action, size: Any, room: Any) -> _Limits:
        """What the mapped fields ask for, within what the action takes; the same for nearly every item."""
        last = self._last_limits
        if last is not None and last[0] is action and last[1] == size and last[2] == room:
            return last[3]
        count = _limit(size, action.default_batch_size, action.max_batch_size)
        most_bytes = _limit(room, action.max_batch_bytes, action.max_batch_bytes)
        limits = _Limits(
            count=count,
            bytes=most_bytes,
            measured=count * EVENT_BYTES > most_bytes,
            bulk=action.bulk_from is not None and count >= action.bulk_from,
        )
        self._last_limits = (action, size, room, limits)
        return limits

    def _wait(self, action: Action, bulk: bool) -> float:
        if action.batch_wait is not None:
            return action.batch_wait
        return self.policy.bulk_wait if bulk else self.policy.batch_wait

    def due(self, now: float) -> list[Batch]:
        """The batches that have waited long enough."""
        if self.next_due is None or now < self.next_due:
            return []
        ready: list[Batch] = []
        for key, batch in list(self._open.items()):
            if batch.deadline <= now:
                ready += self._close(key)
        self.next_due = min((batch.deadline for batch in self._open.values()), default=None)
        return ready

    def make_room(self) -> list[Batch]:
        """All items, so that no record need wait for them: of bulk batches a part, which others may join
        until the batch is due."""
        left: list[Batch] = []
        for key, batch in list(self._open.items()):
            if not batch.bulk:
                left += self._close(key)
            elif batch.items:
                batch.bulk_id = batch.bulk_id or secrets.randbits(62)
                left.append(Batch(batch.items, True, batch.bulk_id, until=batch.deadline))
                batch.ahead += len(batch.items)
                self.waiting -= len(batch.items)
                batch.items = []
        return left

    def take_all(self) -> list[Item]:
        """Everything that waits, taken out again."""
        items = [item for batch in self._open.values() for item in batch.items]
        self._open.clear()
        self.next_due = None
        self.waiting = 0
        return items

    def _close(self, key: tuple[Any, ...]) -> list[Batch]:
        """None if all of its items have gone ahead."""
        batch = self._open.pop(key)
        self.waiting -= len(batch.items)
        return [Batch(batch.items, batch.bulk, batch.bulk_id)] if batch.items else []


def _limit(asked: Any, default: int, most: int) -> int:
    """A batch limit from a mapped field: a positive number, no higher than the action takes."""
    if isinstance(asked, int | float) and not isinstance(asked, bool) and asked >= 1:
        return int(min(asked, most))  # in this order: it may be infinite
    return default
