"""One process of the catalogue's JavaScript, and the calls that are under way in it.

It may read the packages and its own code, and nothing else: no network, no other file, no subprocess, an
environment of its own. Messages go over its stdin and stdout, one JSON text a line (`worker/main.cjs` lists
them). Every fetch is done here, by the client of the call that it belongs to.

Invariants:
- A call ends exactly once: with its result, with what JavaScript threw, or with `WorkerLost` when the process
  has ended, was ended because it no longer answered, or has said what is no message.
- When a call has ended, or whoever waited for it has gone, its requests end too and it can make no more.
- The process ends when this one does, however that happens: by the end of its stdin, and on Linux by the
  kernel even if its code never looks at it.
"""

import asyncio
import signal
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import msgspec
import orjson
import structlog

from onward.destinations.bridge import fetching
from onward.destinations.bridge.errors import ActionFailed, Failure, WorkerLost
from onward.destinations.bridge.sandbox import DIE_WITH_PARENT, Limits, command, named, resident
from onward.destinations.definition import Call, Json
from onward.egress.http import EgressError

log = structlog.get_logger("onward.catalogue")

PART = 500
"""Items that go over the pipe at a time, so that a batch of a hundred thousand is never one text."""
HIGH_WATER = 4 << 20
"""Bytes that wait to be written before a large call waits too."""
LONGEST_LINE = 256 << 20
CONFIGURATIONS = 500
"""Settings and mappings that the worker keeps, so that calls need not bring them."""

UNNEEDED = "it is no longer needed"


class Unencodable(ValueError):
    """A payload holds what JSON can't."""


class Configuration(msgspec.Struct, frozen=True):
    """What the calls of a mapping have in common."""

    settings: Mapping[str, Any]
    mapping: Mapping[str, Any]
    auth: Json | None = None
    client: Json | None = None


class _Flight:
    """A call under way."""

    __slots__ = ("after", "answered", "call", "done", "fetches")

    def __init__(self, call: Call, done: "asyncio.Future[Any]") -> None:
        self.call = call
        self.done = done
        self.fetches: dict[int, asyncio.Task[None]] = {}
        self.answered = False
        self.after: str | None = None


class Answer(msgspec.Struct, frozen=True):
    result: Any
    answered: bool
    """Whether a tool has answered any request."""
    after: str | None
    """The last Retry-After that one gave."""


class Worker(asyncio.SubprocessProtocol):
    """Make one with `start`."""

    def __init__(self, limits: Limits, lost: "Callable[[Worker], None]", grown: "Callable[[Worker], None]"):
        """`lost` is called once when the process has ended, `grown` once when it has grown too large."""
        self.limits = limits
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.pid = 0
        self.retired = False
        """Whether it gets no more calls."""
        self.left = False
        """Whether it has ended as it was asked to, when it had no more calls."""
        self._lost, self._grown = lost, grown
        self._transport: asyncio.SubprocessTransport | None = None
        self._stdin: asyncio.WriteTransport | None = None
        self._flights: dict[int, _Flight] = {}
        self._outbox: list[bytes] = []
        self._last_id = 0
        self._parts: list[bytes] = []
        self._held = 0
        self._room = asyncio.Event()
        self._room.set()
        self._configurations: OrderedDict[tuple[int, ...], tuple[int, Configuration]] = OrderedDict()
        self._killed_for: str | None = None
        self._complaint: deque[bytes] = deque(maxlen=20)
        self._watch: asyncio.Task[None] | None = None
        self._pong = 0

    @classmethod
    async def start(
        cls,
        folder: Path,
        environment: Mapping[str, str],
        limits: Limits,
        lost: "Callable[[Worker], None]" = lambda worker: None,
        grown: "Callable[[Worker], None]" = lambda worker: None,
    ) -> "Worker":
        """A worker that is ready for calls. Raises `WorkerLost`."""
        loop = asyncio.get_running_loop()
        try:
            _, worker = await loop.subprocess_exec(
                lambda: cls(limits, lost, grown),
                *command(folder, limits),
                env=dict(environment),
                cwd=folder,
                preexec_fn=DIE_WITH_PARENT,
            )
        except OSError as error:
            raise WorkerLost(f"the catalogue's worker can't be started: {error}", own_doing=False) from error
        try:
            async with asyncio.timeout(limits.start):
                await asyncio.shield(worker.ready)
        except TimeoutError:
            worker.kill(f"it was not ready within {limits.start:g} s")
            raise WorkerLost("the catalogue's worker did not start in time", own_doing=False) from None
        except BaseException:
            worker.kill("nobody waits for it")
            raise
        worker._watch = loop.create_task(worker._watch_over())
        return worker

    @property
    def alive(self) -> bool:
        return not self.ended.done() and self._killed_for is None

    @property
    def busy(self) -> int:
        """Calls under way."""
        return len(self._flights)

    # Calls

    async def call(self, operation: str, configuration: Configuration, arguments: Json, call: Call) -> Answer:
        """Raises `ActionFailed`, `WorkerLost`, or `Unencodable` without having sent anything."""
        if not self.alive:
            raise WorkerLost("the catalogue's worker has ended", own_doing=False)
        self._last_id = id = self._last_id + 1
        flight = self._flights[id] = _Flight(call, asyncio.get_running_loop().create_future())
        try:
            await self._send_call(id, operation, configuration, arguments)
            result = await flight.done
            return Answer(result, flight.answered, flight.after)
        finally:
            del self._flights[id]
            for task in flight.fetches.values():
                task.cancel()
            if not flight.done.done() or flight.done.cancelled():
                self._write(b'{"t":"abort","id":%d}' % id)
            self._rest()

    async def _send_call(
        self, id: int, operation: str, configuration: Configuration, arguments: Json
    ) -> None:
        message = {"t": "call", "id": id, "op": operation, **arguments}
        payloads = arguments.get("payloads", ())
        if len(payloads) > PART:
            events = arguments["events"]
            message["payloads"] = message["events"] = []
            try:
                for start in range(0, len(payloads), PART):
                    part = {
                        "payloads": payloads[start : start + PART],
                        "events": events[start : start + PART],
                    }
                    self._write(_encode({"t": "items", "call": id, **part}))
                    await asyncio.sleep(0)  # it leaves, and others have their turn
                    await self._room.wait()
            except BaseException:
                self._write(b'{"t":"drop","call":%d}' % id)
                raise
        message["config"] = self._key_of(configuration)
        self._write(_encode(message))

    def _key_of(self, configuration: Configuration) -> int:
        """What the worker knows it by; it is told if it doesn't."""
        parts = (configuration.settings, configuration.mapping, configuration.auth, configuration.client)
        identity = tuple(map(id, parts))  # of objects that are kept here, so that no others can get them
        known = self._configurations.get(identity)
        if known is not None:
            return known[0]
        self._last_id = key = self._last_id + 1
        self._write(_encode({"t": "config", "key": key, **msgspec.structs.asdict(configuration)}))
        self._configurations[identity] = (key, configuration)
        if len(self._configurations) > CONFIGURATIONS:
            _, (oldest, _) = self._configurations.popitem(last=False)
            self._write(b'{"t":"forget","keys":[%d]}' % oldest)
        return key

    def _write(self, line: bytes) -> None:
        """Send a message. Those of one turn of the event loop leave in one write and wake the worker once."""
        if not self._outbox:
            asyncio.get_running_loop().call_soon(self._flush)
        self._outbox += (line, b"\n")

    def _flush(self) -> None:
        lines, self._outbox = self._outbox, []
        if lines and self._stdin is not None and not self._stdin.is_closing():
            self._stdin.write(b"".join(lines))

    # What the worker says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.SubprocessTransport, transport)
        self._stdin = cast(asyncio.WriteTransport, self._transport.get_pipe_transport(0))
        self._stdin.set_write_buffer_limits(HIGH_WATER)
        self.pid = self._transport.get_pid()

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == 2:
            self._complaint.append(data[-2000:])
            return
        if self._killed_for is not None:
            return
        *lines, rest = data.split(b"\n")
        if lines and self._parts:
            lines[0] = b"".join((*self._parts, lines[0]))
            self._parts.clear()
            self._held = 0
        for line in lines:
            try:
                self._receive(orjson.loads(line))
            except Exception as error:
                self.kill(f"it said what is no message ({type(error).__name__}): {line[:200]!r}")
                return
        if rest:
            self._parts.append(rest)
            self._held += len(rest)
            if self._held > LONGEST_LINE:
                self.kill(f"it sent a line of more than {LONGEST_LINE} bytes")

    def _receive(self, message: dict[str, Any]) -> None:
        """Raises whatever a message that is none makes it raise."""
        kind = message["t"]
        if kind == "fetch":
            flight = self._flights.get(message["call"])
            if flight is None:
                error = EgressError("ECONNABORTED", "the call that this belongs to has ended")
                self._write(fetching.failure(message["id"], error))
                return
            task = asyncio.get_running_loop().create_task(self._fetch(flight, message))
            flight.fetches[message["id"]] = task
        elif kind == "done":
            flight = self._flights.get(message["id"])
            if flight is None or flight.done.done():
                return
            if "error" in message:
                failure = msgspec.convert(message["error"], Failure)
                flight.done.set_exception(ActionFailed(failure, flight.answered, flight.after))
            else:
                flight.done.set_result(message["result"])
        elif kind == "abort":
            for flight in self._flights.values():
                if (running := flight.fetches.get(message["id"])) is not None:
                    running.cancel()
                    return
        elif kind == "pong":
            self._pong = message["id"]
        elif kind == "stray":
            name, place = message["name"], message.get("place")
            log.warning("an error that no call waited for", name=name, place=place)
        elif kind == "ready":
            if not self.ready.done():
                self.ready.set_result(None)
        else:
            raise ValueError(kind)

    async def _fetch(self, flight: _Flight, message: dict[str, Any]) -> None:
        id = message["id"]
        try:
            response = await fetching.fetch(message, flight.call)
            flight.answered = True
            flight.after = response.headers.get("retry-after")
            line = fetching.answer(id, response)
        except EgressError as error:
            line = fetching.failure(id, error)
        except Exception as error:
            log.exception("fetch failed", method=message.get("method"))
            line = fetching.failure(id, EgressError("ECONNABORTED", f"{type(error).__name__}: {error}"))
        finally:
            flight.fetches.pop(id, None)
        self._write(line)

    # Its life

    async def _watch_over(self) -> None:
        """Ping it, and look at its memory, until it has ended."""
        number = 0
        loop = asyncio.get_running_loop()
        asked = loop.time()
        grown = False
        while True:  # until the process has ended, which cancels this
            if self._pong == number:
                number += 1
                self._write(b'{"t":"ping","id":%d}' % number)
                asked = loop.time()
            await asyncio.sleep(self.limits.ping_every)
            if self._pong != number and loop.time() - asked > self.limits.patience:
                self.kill(f"it has not answered for {self.limits.patience:g} s")
                return
            size = resident(self.pid)
            if size > self.limits.resident_most:
                self.kill(f"it has grown to {size >> 20} MB")
                return
            if size > self.limits.resident and not grown:
                grown = True
                self._grown(self)

    def kill(self, reason: str) -> None:
        """End it at once; the calls under way end with `WorkerLost` when it has."""
        if self._killed_for is None:
            self._killed_for = reason
        if self._transport is not None:
            with suppress(ProcessLookupError):
                self._transport.kill()

    def retire(self) -> None:
        """Take no more calls, and end when those under way have."""
        self.retired = True
        self._rest()

    def _rest(self) -> None:
        if self.retired and not self._flights and self._stdin is not None:
            self._flush()
            self._stdin.close()

    async def close(self) -> None:
        """End it, and wait until it has."""
        self.kill(UNNEEDED)
        await asyncio.shield(self.ended)

    def process_exited(self) -> None:
        status = self._transport.get_returncode() if self._transport else None
        if self._watch is not None:
            self._watch.cancel()
        reason = self._killed_for or named(status)
        said = b"".join(self._complaint).decode(errors="replace").strip()[:500]
        own_doing = self._killed_for is not None or status not in (-signal.SIGKILL, -signal.SIGTERM)
        if not self.ready.done():
            self.ready.set_exception(
                WorkerLost(f"the catalogue's worker did not start: {reason} {said}".strip(), own_doing=False)
            )
            self.ready.exception()  # whoever waits sees it; nobody may
        self._room.set()  # whoever waits for room is about to hear why there is none
        if not self.ended.done():
            self.ended.set_result(None)
        for flight in self._flights.values():
            if not flight.done.done():
                flight.done.set_exception(WorkerLost(f"the catalogue's worker ended: {reason}", own_doing))
        if self._transport is not None:
            self._transport.close()
        self.left = self.retired and status == 0
        if not self.left and self._killed_for != UNNEEDED:
            log.error("catalogue worker ended", pid=self.pid, reason=reason, calls=self.busy, said=said)
        self._lost(self)


def _encode(message: Json) -> bytes:
    try:
        return orjson.dumps(message)
    except orjson.JSONEncodeError as error:
        raise Unencodable(str(error)) from None
