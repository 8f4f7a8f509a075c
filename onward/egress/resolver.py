"""Names to addresses, every one of them judged by the guard.

Invariants:
- What `resolve` returns has passed the guard, all of it: one refused address in an answer refuses the whole
  answer, so that a name can't mix a public address with a private one and hope.
- Callers connect to these very addresses; nothing resolves the name a second time, so a name that changes
  its answer (DNS rebinding) changes nothing for a connection that was judged.
- A slow name server holds up only those who ask for that name: one lookup per name at a time, in a thread
  of its own, and its callers give up at their own deadlines. The threads are daemons: a lookup that hangs
  does not keep the process from ending.

Answers are kept for `TTL` seconds in memory; if the process dies they are asked for again.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from threading import Thread

from onward.egress.guard import BlockedError, Guard
from onward.egress.http import EgressError

TTL = 30.0
"""Seconds that an answer is used. The system's resolver does not tell the record's own."""

_THREADS = 32
_MAX_NAMES = 10_000

Address = tuple[socket.AddressFamily, str]
Lookup = Callable[[str], Awaitable[list[Address]]]


class Resolver:
    """`lookup` answers a name with its addresses, or raises OSError; the default asks the system."""

    def __init__(self, guard: Guard, lookup: Lookup | None = None) -> None:
        self._guard = guard
        self._lookup = lookup or self._ask_system
        self._threads = asyncio.Semaphore(_THREADS)
        self._answers: dict[str, tuple[float, list[Address]]] = {}
        self._asking: dict[str, asyncio.Task[list[Address]]] = {}

    async def resolve(self, host: str) -> list[Address]:
        """Addresses of a name or numeric address, in the order to try them; raises `EgressError`."""
        literal = _literal(host)
        if literal is not None:
            self._guard.check(literal[1])
            return [literal]
        if host == "localhost" or host.endswith(".localhost"):
            return self._loopback()
        now = asyncio.get_running_loop().time()
        known = self._answers.get(host)
        if known is not None and known[0] > now:
            return known[1]
        task = self._asking.get(host)
        if task is None:
            task = asyncio.create_task(self._ask(host))
            self._asking[host] = task
            task.add_done_callback(lambda done: self._asked(host, done))
        return await asyncio.shield(task)

    async def _ask(self, host: str) -> list[Address]:
        try:
            addresses = await self._lookup(host)
        except OSError as error:
            raise _failure(host, error) from error
        except UnicodeError as error:
            raise EgressError("INVALID_URL", f"{host!r} is not a domain name: {error}") from error
        if not addresses:
            raise EgressError("ENOTFOUND", f"{host} has no address")
        for _, address in addresses:
            self._guard.check(address)
        return addresses

    def _asked(self, host: str, task: asyncio.Task[list[Address]]) -> None:
        self._asking.pop(host, None)
        if task.cancelled() or task.exception() is not None:
            self._answers.pop(host, None)
            return
        if len(self._answers) >= _MAX_NAMES:
            self._answers.pop(next(iter(self._answers)))
        self._answers[host] = (asyncio.get_running_loop().time() + TTL, task.result())

    def _loopback(self) -> list[Address]:
        """localhost is loopback without asking anyone (RFC 6761 §6.3): as far as it is allowed."""
        allowed: list[Address] = []
        refusal: BlockedError | None = None
        for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            try:
                self._guard.check(address)
            except BlockedError as error:
                refusal = refusal or error
            else:
                allowed.append((family, address))
        if not allowed and refusal is not None:
            raise refusal
        return allowed

    async def _ask_system(self, host: str) -> list[Address]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[Address]] = loop.create_future()
        async with self._threads:
            Thread(target=_look_up, args=(host, loop, answer), name=f"resolve {host}", daemon=True).start()
            return await answer

    def close(self) -> None:
        for task in self._asking.values():
            task.cancel()


def _look_up(host: str, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[list[Address]]) -> None:
    """Runs in a thread: asks the system, and tells the loop."""
    addresses: list[Address] = []
    failure: Exception | None = None
    try:
        addresses = [
            (family, str(where[0]))
            for family, _, _, _, where in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        ]
    except Exception as error:  # whatever it is, the one who waits must hear of it
        failure = error

    def tell() -> None:
        if answer.done():
            return
        if failure is None:
            answer.set_result(addresses)
        else:
            answer.set_exception(failure)

    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(tell)


def _literal(host: str) -> Address | None:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        return (family, host)
    return None


def _failure(host: str, error: OSError) -> EgressError:
    if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
        return EgressError("EAI_AGAIN", f"looking up {host} failed for now: {error.strerror}")
    return EgressError("ENOTFOUND", f"{host} was not found: {error.strerror or error}")
