"""Payloads into requests that a service takes, and answers into one outcome for each payload."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import Any

import msgspec

from onward.destinations.aws.errors import AwsError
from onward.destinations.outcome import DELIVERED, Outcome


class Entry(msgspec.Struct, frozen=True):
    """A payload as the service takes it."""

    place: int
    """Position among the payloads."""
    size: int
    """Bytes that it counts for."""
    body: Any


Send = Callable[[Sequence[Entry]], Awaitable[list[Outcome]]]
"""One request; an outcome for each entry, in order. May raise `AwsError`, which is all entries' outcome."""

AT_ONCE = 8
"""Requests that one call of an action has under way."""


class Outcomes:
    """One outcome for each of so many payloads, filled in any order."""

    def __init__(self, count: int) -> None:
        self._each: list[Outcome | None] = [None] * count

    def __setitem__(self, place: int, outcome: Outcome) -> None:
        self._each[place] = outcome

    def fill(self, places: Iterable[int], outcome: Outcome) -> None:
        for place in places:
            self._each[place] = outcome

    def result(self) -> Outcome | list[Outcome]:
        """One for all where they are all delivered."""
        each = [outcome for outcome in self._each if outcome is not None]
        return DELIVERED if all(outcome is DELIVERED for outcome in each) else each


async def deliver(
    outcomes: Outcomes, entries: Sequence[Entry], *, most: int, room: int, send: Send, ordered: bool = False
) -> None:
    """Sends the entries in requests of at most `most` entries and `room` bytes; `ordered`: one by one."""
    requests = split(entries, most, room)
    if ordered:
        for request in requests:
            await _deliver(outcomes, request, send)
    else:
        await gather(_deliver(outcomes, request, send) for request in requests)


async def _deliver(outcomes: Outcomes, entries: Sequence[Entry], send: Send) -> None:
    try:
        results = await send(entries)
    except AwsError as error:
        results = [error.outcome] * len(entries)
    for entry, outcome in zip(entries, results, strict=True):
        outcomes[entry.place] = outcome


async def gather(work: Iterable[Awaitable[None]]) -> None:
    """All of it, some at a time. One alone, as is usual, costs no task."""
    parts = list(work)
    if len(parts) == 1:
        await parts[0]
        return
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(each: Awaitable[None]) -> None:
        async with gate:
            await each

    await asyncio.gather(*(one(each) for each in parts))


def split(entries: Sequence[Entry], most: int, room: int) -> list[list[Entry]]:
    """In their order. An entry that is larger than `room` stands alone."""
    requests: list[list[Entry]] = []
    left = 0
    for entry in entries:
        if not requests or entry.size > left or len(requests[-1]) == most:
            requests.append([])
            left = room
        requests[-1].append(entry)
        left -= entry.size
    return requests


def grouped(count: int, key: Callable[[int], Hashable]) -> list[list[int]]:
    """Positions that share a key; normally the engine has seen to it that all do (`batch_keys`)."""
    groups: dict[Hashable, list[int]] = {}
    for place in range(count):
        groups.setdefault(key(place), []).append(place)
    return list(groups.values())
