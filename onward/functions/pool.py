"""Runners for the functions that are in use: one function's code and one instance's settings to a process.

Key = (version of the function, instance, its settings): globals and `cache` must not mix the settings of two
destinations, nor what one had before with what it has now.
A process handles one invocation at a time, because libraries keep state in globals; when a key's queue grows
it gets another process, up to `per_key`. Blank spares wait, so that a new one costs no start.

Invariants:
- What runs is bounded by `budget_mb`: an idle process counts 20 MB, a busy one 100. If there is no room the
  process that was idle longest goes; if all are busy, invocations wait, first come first served. A key hands
  its processes on to its own, for that costs no start; but those that have had their `TURN` not past who has
  waited as long and has none at work. So keys that never rest don't keep the others from running.
- A process that died or was killed is never used again; its key gets a fresh one.
- A key whose invocations keep timing out or running out of memory is paused (`breaker.py`); others go on.

What if the process dies here? Runners die with it (`process.py`), and hold nothing but caches.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog

from onward.egress.http import Client
from onward.egress.masking import Masking
from onward.functions.errors import Ending, Kind
from onward.functions.held import BUSY_MB, IDLE_MB, Entry, Held, Key, Lent, PoolLimits, Usage, Waiting
from onward.functions.many import Many
from onward.functions.process import Call, Flown, Invocation, Limits, LoadError, Lost, Runner
from onward.functions.sandbox import Confinement, resident

__all__ = ["Key", "Pool", "PoolLimits", "Usage"]

log = structlog.get_logger("onward.functions")

START_AGAIN = 5.0
"""Seconds until another process is tried, after one that could not be started."""
TURN = 1.0
"""Seconds that a process works for its key before others may have its room."""


class Pool:
    """For one event loop. `close` it."""

    def __init__(
        self,
        confinement: Confinement,
        http: Client,
        limits: PoolLimits | None = None,
        process: Limits | None = None,
    ) -> None:
        self.limits = limits or PoolLimits()
        self._confinement = confinement
        self._process = process or Limits()
        self._http = http
        self._entries: dict[Key, Entry] = {}
        self._idle: OrderedDict[Held, None] = OrderedDict()
        self._busy = 0
        self._starting = 0
        self._spares: deque[Runner] = deque()
        self._runners: set[Runner] = set()
        """All that have not ended, those that are being killed included."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.Task[None] | None = None
        self._closed = False

    async def warm(self) -> None:
        """Have the spares ready. Raises `Lost` if none can be started."""
        while len(self._spares) < self.limits.spares and not self._closed:
            self._spares.append(await self._new())

    async def _new(self) -> Runner:
        runner = await Runner.start(self._confinement, self._process)
        self._runners.add(runner)
        runner.ended.add_done_callback(lambda _: self._runners.discard(runner))
        return runner

    @property
    def processes(self) -> int:
        """Spares included."""
        return len(self._idle) + self._busy + len(self._spares)

    def pids(self, key: Key) -> list[int]:
        entry = self._entries.get(key)
        return [] if entry is None else [held.runner.pid for held in entry.idle]

    def used(self) -> dict[Key, Usage]:
        """What was used since this was called last, by key."""
        taken = {}
        for key, entry in self._entries.items():
            if entry.usage.invocations:
                for held in entry.idle:
                    self._charge(held, entry)
                taken[key], entry.usage = entry.usage, Usage()
        return taken

    def paused(self, key: Key) -> float:
        """Seconds that a key is paused for, because it kept timing out; 0 if it is not."""
        entry = self._entries.get(key)
        return 0.0 if entry is None else entry.breaker.paused(time.monotonic())

    async def invoke(
        self,
        key: Key,
        code: str,
        handler: str,
        payload: Any,
        settings: Mapping[str, Any],
        masking: Masking,
    ) -> Invocation:
        """Call a handler of `code` (JavaScript) with an event, onBatch with a list. Failures are values."""
        began = time.perf_counter()
        lent = await self.lend(key, code)
        if isinstance(lent, Invocation):
            return lent
        queued = (time.perf_counter() - began) * 1000
        try:
            made = await lent.held.runner.invoke(handler, payload, settings, self._http, masking)
        finally:
            self.give_back(lent)
        made.queue_ms, made.cold = queued, lent.cold
        self._count(lent, [made], made.wall_ms)
        return made

    async def invoke_each(
        self,
        key: Key,
        code: str,
        calls: Sequence[Call],
        settings: Mapping[str, Any],
        masking: Masking,
    ) -> list[Invocation]:
        """The same for many events at once, each with its own handler, result, log and time limit, in the
        order of `calls`. Events of one process come one after the other; if they take long, other processes
        take some.
        """
        return await Many(self, key, code, calls, settings, masking).run()

    async def lend(self, key: Key, code: str, eager: bool = False) -> Lent | Invocation:
        """A process with the code loaded, to be given back; or why there is none. `eager`: with no waiting
        for those that are busy."""
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = Entry()
        if (pause := entry.breaker.paused(time.monotonic())) > 0:
            message = "the function is paused, for it kept timing out or running out of memory"
            return Invocation(ending=Ending(Kind.TOO_MANY_REQUESTS, message, pause))
        try:
            held, cold = await self._acquire(key, entry, code, eager)
        except _Full as full:
            return Invocation(ending=Ending(Kind.TOO_MANY_REQUESTS, str(full), 1.0))
        except LoadError as error:
            thrown = error.thrown
            at = f" (line {thrown.line})" if thrown.line else ""
            message = f"the code can't be loaded: {thrown.name}: {thrown.message}{at}"
            return Invocation(ending=Ending(Kind.INVALID_SETTINGS, message), error=thrown)
        except Lost as lost:
            message = f"the code can't be loaded: {lost}"
            if lost.own_doing:
                return Invocation(ending=Ending(Kind.INVALID_SETTINGS, message))
            return Invocation(ending=Ending(Kind.TOO_MANY_REQUESTS, message, START_AGAIN))
        except TimeoutError:
            entry.breaker.failed(time.monotonic())
            return Invocation(ending=Ending(Kind.TIMEOUT, "the code did not load in time"))
        return Lent(held, entry, cold)

    def give_back(self, lent: Lent) -> None:
        self._release(lent.held)

    async def fly(
        self, lent: Lent, calls: Sequence[Call], settings: Mapping[str, Any], masking: Masking
    ) -> Flown:
        """Calls in one process, as `Runner.fly` makes them."""
        began = time.perf_counter()
        flown = await lent.held.runner.fly(calls, settings, self._http, masking)
        self._count(lent, flown.made, (time.perf_counter() - began) * 1000)
        return flown

    def failed(self, lent: Lent) -> None:
        """The function has ended a process, or has not ended."""
        if lent.entry.breaker.failed(time.monotonic()):
            pause = lent.entry.breaker.paused(time.monotonic())
            key = lent.held.key
            log.warning("function paused", version=key.version, instance=key.instance, seconds=pause)

    def _count(self, lent: Lent, made: Sequence[Invocation], wall_ms: float) -> None:
        usage = lent.entry.usage
        usage.invocations += len(made)
        usage.wall_ms += wall_ms
        if made and made[-1].died and made[-1].ending.kind in (Kind.TIMEOUT, Kind.BAD_REQUEST):
            self.failed(lent)

    async def close(self) -> None:
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for task in self._tasks:
            task.cancel()
        runners = list(self._runners)
        self._idle.clear()
        self._spares.clear()
        for entry in self._entries.values():
            entry.idle.clear()
            for waiting in entry.waiting:
                if not waiting.handed.done():
                    waiting.handed.set_exception(_Full("functions are being stopped"))
        await asyncio.gather(*(runner.close() for runner in runners), *self._tasks, return_exceptions=True)

    # Who gets a process

    async def _acquire(self, key: Key, entry: Entry, code: str, eager: bool) -> tuple[Held, bool]:
        """A process with the code loaded, and whether it is new."""
        if self._closed:
            raise _Full("functions are being stopped")
        if (idle := self._take_idle(entry)) is not None:
            return idle, False
        wants_more = eager or entry.processes == 0 or len(entry.waiting) >= entry.processes
        if entry.processes < self.limits.per_key and wants_more and self._make_room():
            return await self._start(key, entry, code), True
        if eager:
            raise _Full("all processes are busy")
        if len(entry.waiting) >= self.limits.queue:
            raise _Full(f"{self.limits.queue} invocations of the function wait already")
        loop = asyncio.get_running_loop()
        waiting = Waiting(loop.time())
        entry.waiting.append(waiting)
        late = loop.call_later(self.limits.queue_for, _give_up, waiting.handed)
        try:
            handed = await waiting.handed
        except BaseException:
            self._hand_back(waiting.handed)
            with suppress(ValueError):
                entry.waiting.remove(waiting)
            raise
        finally:
            late.cancel()
        if handed is not None:
            return handed, False
        return await self._start(key, entry, code), True  # the room was made by the one who told

    def _take_idle(self, entry: Entry) -> Held | None:
        """An idle process of the key, if there is room for it to be busy."""
        while entry.idle:
            held = entry.idle.pop()
            del self._idle[held]
            if not held.runner.alive:
                self._gone(entry)
            elif self._make_room():
                return held
            else:
                entry.idle.append(held)
                self._idle[held] = None
                break
        return None

    def _hand_back(self, future: "asyncio.Future[Held | None]") -> None:
        """What a waiter was given in the moment in which it went."""
        if not future.done() or future.cancelled() or future.exception() is not None:
            return
        held = future.result()
        if held is not None:
            self._release(held)
        else:
            self._busy -= 1
            self._wake()

    def _make_room(self) -> bool:
        """Whether there is room for one more busy process; it is counted as such at once."""
        others = self._taken() - len(self._idle) * IDLE_MB
        if self._busy and others + BUSY_MB > self.limits.budget_mb:  # one may always run
            return False  # and nobody idle goes for nothing
        while self._idle and self._taken() + BUSY_MB > self.limits.budget_mb:
            held, _ = self._idle.popitem(last=False)
            entry = self._entries[held.key]
            entry.idle.remove(held)
            held.runner.kill("its memory is needed")
            self._gone(entry)
        self._busy += 1
        return True

    def _taken(self) -> int:
        return len(self._idle) * IDLE_MB + self._busy * BUSY_MB + len(self._spares) * IDLE_MB

    async def _start(self, key: Key, entry: Entry, code: str) -> Held:
        """Room has been made; given back if it fails."""
        entry.processes += 1
        runner = None
        try:
            while self._spares and runner is None:
                spare = self._spares.popleft()
                runner = spare if spare.alive else None
            if runner is None:
                runner = await self._new()
            self._refill()
            await runner.load(code)
            return Held(key, runner)
        except BaseException:
            if runner is not None:
                runner.kill("its code could not be loaded")
            self._busy -= 1
            self._gone(entry)
            self._wake()
            raise

    def _release(self, held: Held) -> None:
        runner, entry = held.runner, self._entries[held.key]
        now = asyncio.get_running_loop().time()
        if not runner.alive:
            self._charge(held, entry)
        if not runner.alive or self._worn(held, entry, now) or self._closed:
            self._busy -= 1
            runner.kill("it is replaced by a fresh one")
            self._gone(entry)
            self._wake()
            return
        if not (now - held.begun > TURN and self._other_is_due(entry, now)) and _hand_on(entry, held):
            return
        self._busy -= 1
        held.since = now
        entry.idle.append(held)
        self._idle[held] = None
        self._wake()
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().create_task(self._sweep())

    def _other_is_due(self, entry: Entry, now: float) -> bool:
        """Whether another key has no process at work and has waited longer than this one."""
        before = min(now - TURN, entry.waiting[0].since) if entry.waiting else 0.0
        return any(
            other.processes == len(other.idle) and other.waiting and other.waiting[0].since < before
            for other in self._entries.values()
        )

    def _wake(self) -> None:
        """There may be room: let those have it who wait the longest."""
        waiting = [entry for entry in self._entries.values() if entry.waiting]
        for entry in sorted(waiting, key=lambda entry: entry.waiting[0].since):
            if (idle := self._take_idle(entry)) is not None:
                if not _hand_on(entry, idle):
                    self._release(idle)
            elif entry.processes < self.limits.per_key and self._make_room() and not _hand_on(entry, None):
                self._busy -= 1

    def _worn(self, held: Held, entry: Entry, now: float) -> bool:
        """Whether to replace it. Processor time and memory are looked at now and then: that costs more than
        an event does, and processor time is told in hundredths of a second."""
        runner, limits = held.runner, self.limits
        if now - held.looked_at < 0.2:
            return runner.invocations >= limits.most_invocations
        held.looked_at = now
        self._charge(held, entry)
        old = runner.invocations >= limits.most_invocations or now - runner.started > limits.oldest
        return old or resident(runner.pid) > limits.largest

    def _charge(self, held: Held, entry: Entry) -> None:
        total = held.runner.cpu_seconds()
        if total > held.charged:
            entry.usage.cpu_ms += (total - held.charged) * 1000
            held.charged = total

    def _gone(self, entry: Entry) -> None:
        entry.processes -= 1

    def _refill(self) -> None:
        if self._closed or len(self._spares) + self._starting >= self.limits.spares:
            return
        self._starting += 1
        task = asyncio.get_running_loop().create_task(self._add_spare())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _add_spare(self) -> None:
        try:
            runner = await self._new()
        except Lost as lost:
            log.error("no spare runner", reason=str(lost))
            return
        finally:
            self._starting -= 1
        if self._closed:
            runner.kill("it is no longer needed")
        else:
            self._spares.append(runner)

    async def _sweep(self) -> None:
        """End what has been idle for long, and forget keys that nobody uses."""
        while not self._closed:
            await asyncio.sleep(min(30.0, self.limits.idle_for / 2))
            now = asyncio.get_running_loop().time()
            for held in list(self._idle):
                if held.runner.alive and now - held.since < self.limits.idle_for:
                    continue
                del self._idle[held]
                entry = self._entries[held.key]
                entry.idle.remove(held)
                held.runner.kill("it was idle")
                self._gone(entry)
            for key, entry in list(self._entries.items()):
                quiet = not entry.waiting and entry.processes == 0 and not entry.usage.invocations
                if quiet and entry.breaker.forgotten(time.monotonic()):
                    del self._entries[key]


class _Full(Exception):
    """Nobody can take the invocation now."""


def _hand_on(entry: Entry, held: Held | None) -> bool:
    """Give a process, or the room for one, to the first who waits; whether there is one."""
    while entry.waiting:
        handed = entry.waiting.popleft().handed
        if not handed.done():
            handed.set_result(held)
            return True
    return False


def _give_up(waiting: "asyncio.Future[Held | None]") -> None:
    if not waiting.done():
        waiting.set_exception(_Full("no process became free in time"))
