"""One runner: a process of Deno in the sandbox, with the code of one function once it is loaded.

Invariants:
- An invocation ends exactly once: with what the handler did, or with why the process did not finish it.
- SIGKILL is the only stop, of the whole process group: code can ignore every other signal.
- A runner that says what is no message, or too many, is killed; frames about what it was not asked for are
  ignored. Nothing that it says reaches another runner.
- When an invocation has ended its requests end too.

What if this process dies here? The kernel kills the runner (PDEATHSIG); its stdin ends as well.
"""

import asyncio
import os
import re
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

import msgspec
import structlog

from onward.egress import redact
from onward.egress.http import Client, EgressError
from onward.egress.masking import Masking
from onward.functions import wire
from onward.functions.errors import Ending, Kind
from onward.functions.fetching import FetchLimits
from onward.functions.flight import Call, Flight, Flown
from onward.functions.invocation import Invocation, cut
from onward.functions.sandbox import Confinement, command, cpu_seconds, environment, learn_idle_data
from onward.functions.wire import ProtocolError, Thrown

__all__ = ["Call", "Flown", "Invocation", "Limits", "LoadError", "Lost", "Runner"]

log = structlog.get_logger("onward.functions")

_PLACE = re.compile(r"stripTypeScriptTypes\.ts:(\d+):\d+")
NAMED = 2_000
"""Characters of an address that are looked through for the name of a request; who asks may have forged it."""
COMPLAINT = 64 * 1024
"""Bytes of stderr that are kept; addresses of memory are in it, so it is for the operator."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    wall: float = 5.0
    """Seconds for an invocation, and for loading the code."""
    start: float = 30.0
    """Seconds for a process to start: the machine may be busy."""
    frames: int = 2_000
    """That an invocation may send; each costs the host time."""
    fetch: FetchLimits = FetchLimits()


class Lost(Exception):
    """The process has ended. `own_doing`: by its code's fault, so that trying again helps nobody."""

    def __init__(self, message: str, own_doing: bool) -> None:
        super().__init__(message)
        self.own_doing = own_doing


class LoadError(Exception):
    """The code can't be loaded; `thrown` says why, and where."""

    def __init__(self, thrown: Thrown) -> None:
        super().__init__(thrown.message)
        self.thrown = thrown


class Runner(asyncio.SubprocessProtocol):
    """Make one with `start`; then `load`, then `invoke` or `fly` as often as wanted, one at a time."""

    def __init__(self, limits: Limits) -> None:
        loop = asyncio.get_running_loop()
        self.limits = limits
        self.ended: asyncio.Future[None] = loop.create_future()
        self.pid = 0
        self.handlers: frozenset[str] = frozenset()
        self.invocations = 0
        self.started = loop.time()
        self.layers: Mapping[str, str] = {}
        """What the box said of itself."""
        self._answer: asyncio.Future[Any] = loop.create_future()
        self._expected: type = wire.Ready
        self._transport: asyncio.SubprocessTransport | None = None
        self._stdin: asyncio.WriteTransport | None = None
        self._reader = wire.Reader()
        self._flight: Flight | None = None
        self._since = 0.0
        """When the call began that runs."""
        self._timer: asyncio.TimerHandle | None = None
        self._stray = 0
        self._complaint = bytearray()
        self._killed_for: str | None = None
        self._own_doing = False
        self._used = 0.0

    @classmethod
    async def start(
        cls, confinement: Confinement, limits: Limits | None = None, program: Sequence[str] | None = None
    ) -> "Runner":
        """One that is ready to load code. Raises `Lost`."""
        limits = limits or Limits()
        loop = asyncio.get_running_loop()
        try:
            _, runner = await loop.subprocess_exec(
                lambda: cls(limits),
                *(program or command(confinement)),
                env=environment(confinement),
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            raise Lost(f"a runner can't be started: {error}", own_doing=False) from error
        try:
            async with asyncio.timeout(limits.start):
                await asyncio.shield(runner._answer)
        except TimeoutError:
            await runner.close()
            raise Lost(f"a runner did not start within {limits.start:g} s", own_doing=False) from None
        except Lost as lost:  # no code of a user's has run in it
            raise Lost(f"a runner can't be started: {lost}", own_doing=False) from None
        except BaseException:
            await runner.close()
            raise
        runner._read_layers()
        if program is None:
            learn_idle_data(runner.pid)
        return runner

    @property
    def alive(self) -> bool:
        return not self.ended.done() and self._killed_for is None

    async def load(self, code: str) -> frozenset[str]:
        """The handlers that the code has. Raises `LoadError`, `Lost`, or TimeoutError (it is killed then)."""
        loaded = await self._ask(wire.Loaded, {"t": "load", "code": code})
        if not loaded.ok:
            raise LoadError(cut(loaded.error or Thrown()))
        self.handlers = wire.HANDLERS.intersection(loaded.handlers)
        return self.handlers

    async def strip(self, code: str) -> str:
        """TypeScript as JavaScript. Raises as `load` does."""
        stripped = await self._ask(wire.Stripped, {"t": "strip", "code": code})
        if not stripped.ok:
            raise LoadError(_of_parser(cut(stripped.error or Thrown())))
        return cast(str, stripped.code)

    async def _ask(self, expected: type, message: dict[str, Any]) -> Any:
        if not self.alive:
            raise Lost("the runner has ended", own_doing=False)
        self._answer, self._expected = asyncio.get_running_loop().create_future(), expected
        self._write(wire.encode(message))
        try:
            async with asyncio.timeout(self.limits.wall):
                return await self._answer
        except BaseException:
            if not self._answer.done() or self._answer.cancelled():
                self.kill("loading its code took too long")
            raise

    async def invoke(
        self, handler: str, payload: Any, settings: Mapping[str, Any], http: Client, masking: Masking
    ) -> Invocation:
        """Call a handler with an event, or a list of them. Never raises but for cancellation, upon which the
        process is killed."""
        began = time.perf_counter()
        flown = await self.fly([(handler, payload)], settings, http, masking)
        [made] = flown.made
        made.wall_ms = (time.perf_counter() - began) * 1000
        return made

    async def fly(
        self, calls: Sequence[Call], settings: Mapping[str, Any], http: Client, masking: Masking
    ) -> Flown:
        """Make calls, one after the other: what came of all, or of those until the process ended. Each has
        the time that `invoke` gives to one. Never raises but for cancellation, upon which the process is
        killed.
        """
        if not calls:
            return Flown(made=[])
        limits, loop = self.limits, asyncio.get_running_loop()
        flight = Flight(
            calls,
            settings,
            http,
            masking,
            first=self.invocations + 1,
            pid=self.pid,
            frames=limits.frames,
            fetch=limits.fetch,
            wall=limits.wall,
        )
        self.invocations += len(calls)
        if not self.alive:
            return flight.land(_ending(Lost("the runner has ended", own_doing=False)))
        self._flight, self._since = flight, loop.time()
        if ahead := flight.ahead():
            self._write(ahead)
            if self._timer is None:
                self._timer = loop.call_later(limits.wall, self._look)
        try:
            await flight.done
        except _Late:
            return flight.land(Ending(Kind.TIMEOUT, f"the function did not end within {limits.wall:g} s"))
        except Lost as lost:
            return flight.land(_ending(lost))
        except BaseException:
            self.kill("nobody waits for its invocation")
            raise
        finally:
            self._flight = None
            flight.cancel()
        return Flown(made=flight.made)

    def _look(self) -> None:
        """Whether a call takes too long. One timer for all calls: most are over long before it is due."""
        self._timer = None
        flight, loop = self._flight, asyncio.get_running_loop()
        if flight is None or flight.done.done():
            return
        left = self._since + self.limits.wall - loop.time()
        if left > 0:
            self._timer = loop.call_later(left, self._look)
            return
        self.kill(f"an invocation took more than {self.limits.wall:g} s")
        flight.done.set_exception(_Late())

    def elapsed(self) -> float:
        """Seconds since it was started."""
        return asyncio.get_running_loop().time() - self.started

    def cpu_seconds(self) -> float:
        """Processor time so far, of all its threads; until it was killed, if it was."""
        return self._used if self._killed_for is not None else cpu_seconds(self.pid)

    def kill(self, reason: str, own_doing: bool = False) -> None:
        """End it at once."""
        if self._killed_for is None and not self.ended.done():
            self._used = cpu_seconds(self.pid)
            self._killed_for, self._own_doing = reason, own_doing
        if self.pid and not self.ended.done():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    async def close(self) -> None:
        """End it, and wait until it has."""
        self.kill("it is no longer needed")
        await asyncio.shield(self.ended)

    # What it says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.SubprocessTransport, transport)
        self._stdin = cast(asyncio.WriteTransport, self._transport.get_pipe_transport(0))
        self.pid = self._transport.get_pid()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == 2:
            self._complaint += data
            del self._complaint[:-COMPLAINT]
            return
        if self._killed_for is not None:
            return
        try:
            for frame in self._reader.feed(data):
                self._receive(frame)
            if (flight := self._flight) is not None and (ahead := flight.ahead()):
                self._write(ahead)
        except ProtocolError as error:
            self.kill(f"runtime protocol error: {error}", own_doing=True)

    def _receive(self, frame: wire.Frame) -> None:
        flight = self._flight
        if flight is None:
            self._stray += 1
            if self._stray > self.limits.frames:
                raise ProtocolError("too many frames that nobody has asked for")
        elif isinstance(frame, wire.Result) and flight.answered(frame):
            self._since = asyncio.get_running_loop().time()
            return
        else:
            flight.count()
        match frame:
            case wire.Result():
                pass  # of nothing that is under way
            case wire.Fetch():
                self._fetch(flight, frame)
            case wire.FetchAborted():
                if flight is not None and (task := flight.tasks.get(frame.id)) is not None:
                    task.cancel("the function has aborted it")
            case wire.Uncaught():
                if flight is not None:
                    flight.uncaught(frame.error)
            case _:
                if isinstance(frame, self._expected) and not self._answer.done():
                    self._answer.set_result(frame)

    def _fetch(self, flight: Flight | None, asked: wire.Fetch) -> None:
        if flight is None or asked.inv != flight.current:
            message = "requests can be made only while an event is handled"
            self._write(wire.encode({"t": "fr", "id": asked.id, "err": message, "code": "ECONNABORTED"}))
        elif asked.id not in flight.tasks:
            name = f"{asked.method[:20]} {redact.url(asked.url[:NAMED])}"
            task = asyncio.get_running_loop().create_task(self._answer_fetch(flight, asked), name=name)
            flight.tasks[asked.id] = task

    async def _answer_fetch(self, flight: Flight, asked: wire.Fetch) -> None:
        tasks = flight.tasks
        try:
            frame = wire.encode(await flight.fetcher().fetch(asked))
        except Exception as error:
            log.exception("fetch failed", pid=self.pid)
            failure = EgressError("ECONNABORTED", f"the request failed: {type(error).__name__}")
            frame = wire.encode({"t": "fr", "id": asked.id, "err": failure.message, "code": failure.code})
        finally:
            tasks.pop(asked.id, None)
        self._write(frame)

    def _write(self, frame: bytes) -> None:
        if self._stdin is not None and not self._stdin.is_closing():
            self._stdin.write(frame)

    def _read_layers(self) -> None:
        said = bytes(self._complaint).decode(errors="replace").splitlines()
        lines = [line.removeprefix("box: ").partition(": ") for line in said if line.startswith("box: ")]
        self.layers = {layer: state for layer, _, state in lines}

    # Its end

    def process_exited(self) -> None:
        status = self._transport.get_returncode() if self._transport else None
        lost = self._why(status)
        if not self.ended.done():
            self.ended.set_result(None)
        if not self._answer.done():
            self._answer.set_exception(lost)
            self._answer.exception()  # whoever waits sees it; nobody may
        if self._flight is not None and not self._flight.done.done():
            self._flight.done.set_exception(lost)
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.close()

    def _why(self, status: int | None) -> Lost:
        if self._killed_for is not None:
            return Lost(self._killed_for, self._own_doing)
        said = bytes(self._complaint).decode(errors="replace")
        if status is not None and status >= 0:
            return Lost(f"the function ended its process (exit status {status})", own_doing=True)
        if status == -signal.SIGKILL:
            return Lost("the runner was killed from outside", own_doing=False)
        if status in (-signal.SIGTRAP, -signal.SIGABRT, -signal.SIGILL) or "out of memory" in said.lower():
            return Lost("the function ran out of memory", own_doing=True)
        return Lost(f"the function's process ended with signal {-(status or 0)}", own_doing=True)


class _Late(Exception):
    """A call took too long."""


def _of_parser(thrown: Thrown) -> Thrown:
    """What TypeScript's parser says, in a line, with the line that it draws into its text."""
    message = thrown.message.removeprefix("SyntaxError: ").partition("\n")[0]
    place = _PLACE.search(thrown.message)
    return Thrown("SyntaxError", message, line=int(place[1]) if place else None)


def _ending(lost: Lost) -> Ending:
    return Ending(Kind.BAD_REQUEST if lost.own_doing else Kind.RETRY, str(lost))
