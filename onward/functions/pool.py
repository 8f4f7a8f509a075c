"""Runners for the functions that are in use: one function's code and one instance's settings to a process.

Key = (version of the function, instance): globals and `cache` must not mix the settings of two destinations.
A process handles one invocation at a time, because libraries keep state in globals; when a key's queue grows
it gets another process, up to `per_key`. Blank spares wait, so that a new one costs no start.

Invariants:
- What runs is bounded by `budget_mb`: an idle process counts 20 MB, a busy one 100. If there is no room the
  process that was idle longest goes; if all are busy, invocations wait, first come first served.
- A process that died or was killed is never used again; its key gets a fresh one.
- A key whose invocations keep timing out or running out of memory is paused (`breaker.py`); others go on.

What if the process dies here? Runners die with it (`process.py`), and hold nothing but caches.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec
import structlog

from onward.egress.http import Client
from onward.egress.masking import Masking
from onward.functions.breaker import Breaker
from onward.functions.errors import Ending, Kind
from onward.functions.process import Invocation, Limits, LoadError, Lost, Runner
from onward.functions.sandbox import Confinement, resident

log = structlog.get_logger("onward.functions")

IDLE_MB, BUSY_MB = 20, 100


class PoolLimits(msgspec.Struct, frozen=True, kw_only=True):
    budget_mb: int = 2048
    per_key: int = 4
    spares: int = 1
    queue: int = 1000
    """Invocations of one key that may wait."""
    queue_for: float = 30.0
    """Seconds that one waits at most."""
    idle_for: float = 600.0
    most_invocations: int = 10_000
    oldest: float = 3600.0
    largest: int = 160 << 20
    """Bytes resident when idle, from which a process is replaced."""


class Key(msgspec.Struct, frozen=True, order=True):
    version: str
    instance: str


class Usage(msgspec.Struct):
    """What a key has used since it was last asked for."""

    invocations: int = 0
    wall_ms: float = 0.0
    cpu_ms: float = 0.0


class _Entry:
    """What is known of a key."""

    __slots__ = ("breaker", "idle", "processes", "usage", "waiting")

    def __init__(self) -> None:
        self.idle: list[_Held] = []
        self.processes = 0
        self.waiting: deque[asyncio.Future[_Held | None]] = deque()
        self.breaker = Breaker()
        self.usage = Usage()


class _Held:
    """A process with a key's code."""

    __slots__ = ("charged", "charged_at", "key", "runner", "since")

    def __init__(self, key: Key, runner: Runner) -> None:
        self.key = key
        self.runner = runner
        self.since = 0.0
        self.charged = runner.cpu_seconds()
        self.charged_at = 0.0


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
        self._entries: dict[Key, _Entry] = {}
        self._idle: OrderedDict[_Held, None] = OrderedDict()
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
        taken = {key: entry.usage for key, entry in self._entries.items() if entry.usage.invocations}
        for key in taken:
            self._entries[key].usage = Usage()
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
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry()
        if (pause := entry.breaker.paused(time.monotonic())) > 0:
            message = "the function is paused, for it kept timing out or running out of memory"
            return Invocation(ending=Ending(Kind.TOO_MANY_REQUESTS, message, pause))
        began = time.perf_counter()
        try:
            held, cold = await self._acquire(key, entry, code)
        except _Full as full:
            return Invocation(ending=Ending(Kind.TOO_MANY_REQUESTS, str(full), 1.0))
        except LoadError as error:
            thrown = error.thrown
            at = f" (line {thrown.line})" if thrown.line else ""
            message = f"the code can't be loaded: {thrown.name}: {thrown.message}{at}"
            return Invocation(ending=Ending(Kind.INVALID_SETTINGS, message), error=thrown)
        except Lost as lost:
            kind = Kind.INVALID_SETTINGS if lost.own_doing else Kind.RETRY
            return Invocation(ending=Ending(kind, f"the code can't be loaded: {lost}"))
        except TimeoutError:
            entry.breaker.failed(time.monotonic())
            return Invocation(ending=Ending(Kind.TIMEOUT, "the code did not load in time"))
        queued = (time.perf_counter() - began) * 1000
        try:
            made = await held.runner.invoke(handler, payload, settings, self._http, masking)
        finally:
            self._release(held)
        made.queue_ms, made.cold = queued, cold
        entry.usage.invocations += 1
        entry.usage.wall_ms += made.wall_ms
        own_doing = made.died and made.ending.kind in (Kind.TIMEOUT, Kind.BAD_REQUEST)
        if own_doing and entry.breaker.failed(time.monotonic()):
            pause = entry.breaker.paused(time.monotonic())
            log.warning("function paused", version=key.version, instance=key.instance, seconds=pause)
        return made

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
            for future in entry.waiting:
                if not future.done():
                    future.set_exception(_Full("functions are being stopped"))
        await asyncio.gather(*(runner.close() for runner in runners), *self._tasks, return_exceptions=True)

    # Who gets a process

    async def _acquire(self, key: Key, entry: _Entry, code: str) -> tuple[_Held, bool]:
        """A process with the code loaded, and whether it is new."""
        if self._closed:
            raise _Full("functions are being stopped")
        while entry.idle:
            held = entry.idle.pop()
            del self._idle[held]
            if held.runner.alive:
                self._busy += 1
                return held, False
            self._gone(entry)
        wants_more = entry.processes == 0 or len(entry.waiting) >= entry.processes
        if entry.processes < self.limits.per_key and wants_more and self._make_room():
            return await self._start(key, entry, code), True
        if len(entry.waiting) >= self.limits.queue:
            raise _Full(f"{self.limits.queue} invocations of the function wait already")
        future: asyncio.Future[_Held | None] = asyncio.get_running_loop().create_future()
        entry.waiting.append(future)
        try:
            async with asyncio.timeout(self.limits.queue_for):
                handed = await future
        except TimeoutError:
            self._hand_back(future)
            raise _Full("no process became free in time") from None
        except asyncio.CancelledError:
            self._hand_back(future)
            raise
        finally:
            with suppress(ValueError):
                entry.waiting.remove(future)
        if handed is not None:
            return handed, False
        return await self._start(key, entry, code), True  # the room was made by the one who told

    def _hand_back(self, future: "asyncio.Future[_Held | None]") -> None:
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
        needed = BUSY_MB
        while self._taken() + needed > self.limits.budget_mb:
            if self._idle:
                held, _ = self._idle.popitem(last=False)
                entry = self._entries[held.key]
                entry.idle.remove(held)
                held.runner.kill("its memory is needed")
                self._gone(entry)
            elif self._busy == 0:
                break  # one may always run
            else:
                return False
        self._busy += 1
        return True

    def _taken(self) -> int:
        return len(self._idle) * IDLE_MB + self._busy * BUSY_MB + len(self._spares) * IDLE_MB

    async def _start(self, key: Key, entry: _Entry, code: str) -> _Held:
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
            return _Held(key, runner)
        except BaseException:
            if runner is not None:
                runner.kill("its code could not be loaded")
            self._busy -= 1
            self._gone(entry)
            self._wake()
            raise

    def _release(self, held: _Held) -> None:
        runner, entry = held.runner, self._entries[held.key]
        now = asyncio.get_running_loop().time()
        self._charge(held, entry, now)
        if not runner.alive or self._worn(runner, now) or self._closed:
            self._busy -= 1
            runner.kill("it is replaced by a fresh one")
            self._gone(entry)
            self._wake()
            return
        while entry.waiting:
            future = entry.waiting.popleft()
            if not future.done():
                future.set_result(held)
                return
        self._busy -= 1
        held.since = now
        entry.idle.append(held)
        self._idle[held] = None
        self._wake()
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().create_task(self._sweep())

    def _wake(self) -> None:
        """There may be room: let the first of a key that waits without a process have it."""
        for entry in self._entries.values():
            if entry.waiting and entry.processes < self.limits.per_key and not entry.idle:
                if not self._make_room():
                    return
                while entry.waiting:
                    future = entry.waiting.popleft()
                    if not future.done():
                        future.set_result(None)
                        break
                else:
                    self._busy -= 1

    def _charge(self, held: _Held, entry: _Entry, now: float) -> None:
        """Processor time is told in hundredths of a second: looking more often than that costs more."""
        if now - held.charged_at < 0.05 and held.runner.alive:
            return
        total = held.runner.cpu_seconds()
        if total > held.charged:
            entry.usage.cpu_ms += (total - held.charged) * 1000
            held.charged = total
        held.charged_at = now

    def _worn(self, runner: Runner, now: float) -> bool:
        limits = self.limits
        if runner.invocations >= limits.most_invocations or now - runner.started > limits.oldest:
            return True
        return runner.invocations % 100 == 1 and resident(runner.pid) > limits.largest

    def _gone(self, entry: _Entry) -> None:
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
