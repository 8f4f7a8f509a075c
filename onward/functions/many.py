"""Many events of one function: handed out in runs of a twentieth of a second, to one process or to more.

A function that only computes gets its events in one process, hundreds at a time. One that waits for answers
would keep all others waiting: if what is left takes long, more processes take a part, as many as a key may
have.

Invariants:
- Each event ends once, at its own place.
- If a process ends and it can't be told with which of its events (`flight.py`), these are called again one by
  one, in a fresh process, until the one that ends it has been found; nothing of them had shown outside.

State: none that outlives the call. If it is cancelled, processes at work for it are killed.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec

from onward.egress.masking import Masking
from onward.functions.held import Key, Lent
from onward.functions.invocation import Invocation
from onward.functions.process import Call

if TYPE_CHECKING:
    from onward.functions.pool import Pool

RUN = 0.05
"""Seconds that a run of events is to take."""
FIRST, LONGEST = 8, 256
"""Events of the first run, while it is not known how long they take; and of any."""
WORTH = 0.2
"""Seconds that what is left must take for another process to be worth its start."""


class Many:
    """Make one for each `run`."""

    def __init__(
        self,
        pool: "Pool",
        key: Key,
        code: str,
        calls: Sequence[Call],
        settings: Mapping[str, Any],
        masking: Masking,
    ) -> None:
        self._pool, self._key, self._code = pool, key, code
        self._calls, self._settings, self._masking = calls, settings, masking
        self._made: list[Invocation | None] = [None] * len(calls)
        self._next = 0
        self._helpers = 0
        self._group = asyncio.TaskGroup()

    async def run(self) -> list[Invocation]:
        """What came of each call, in their order."""
        async with self._group:
            await self._work(eager=False)
        return cast(list[Invocation], self._made)

    async def _work(self, eager: bool) -> None:
        """Take runs for as long as there are some. `eager`: do without a process rather than wait for one."""
        while self._next < len(self._calls):
            lent = await self._pool.lend(self._key, self._code, eager)
            if isinstance(lent, Invocation):
                if not eager:
                    self._give_up(self._next, len(self._calls), lent)
                    self._next = len(self._calls)
                return
            begin = self._next
            pace = lent.entry.pace
            size = min(LONGEST, max(1, int(RUN / pace))) if pace else FIRST
            end = self._next = min(len(self._calls), begin + size)
            if begin == end:
                self._pool.give_back(lent)
                return
            began = time.perf_counter()
            await self._run(begin, end, lent)
            took = (time.perf_counter() - began) / (end - begin)
            lent.entry.pace = took if not pace else (pace + took) / 2
            self._ask_for_help(lent)

    def _ask_for_help(self, lent: Lent) -> None:
        left = (len(self._calls) - self._next) * lent.entry.pace
        wanted = min(int(left / WORTH), self._pool.limits.per_key - 1, len(self._calls) - self._next)
        while self._helpers < wanted:
            self._helpers += 1
            self._group.create_task(self._help())

    async def _help(self) -> None:
        try:
            await self._work(eager=True)
        finally:
            self._helpers -= 1

    async def _run(self, begin: int, end: int, lent: Lent) -> None:
        """Calls from `begin` to `end`; after a process has ended, in others."""
        at, alone, blamed = begin, 0, False
        cold = lent.cold
        held: Lent | None = lent
        while at < end:
            if held is None:
                again = await self._pool.lend(self._key, self._code)
                if isinstance(again, Invocation):
                    self._give_up(at, end, again)
                    return
                held, cold = again, again.cold
            try:
                flown = await self._pool.fly(
                    held, self._calls[at : at + 1 if alone else end], self._settings, self._masking
                )
            finally:
                self._pool.give_back(held)
            for made in flown.made:
                made.cold, cold = cold, False
                self._made[at] = made
                at += 1
            if flown.suspects:
                alone, blamed = flown.suspects, flown.own_doing
            elif alone:
                alone = 0 if flown.made[-1].died else alone - 1
                if alone == 0 and blamed and not flown.made[-1].died:
                    self._pool.failed(held)  # none did it again, yet one did
            held = None

    def _give_up(self, begin: int, end: int, why: Invocation) -> None:
        for place in range(begin, end):
            self._made[place] = msgspec.structs.replace(why)
