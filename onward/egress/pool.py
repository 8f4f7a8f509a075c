"""The connections to one origin (scheme, host, port): open, lend, take back, expire.

Invariants:
- A connection is in `idle` or lent to exactly one caller; whoever borrowed it gives it back, whatever
  happened to it.
- `open` never exceeds `limit`; who comes later waits, first come first served, until its own deadline.
- Every connection was made to an address that the guard has let through, and the socket's own view of its
  peer is checked again before a byte is written.
"""

import asyncio
import errno
import socket
import ssl
from collections import deque

from onward.egress.connection import Connection
from onward.egress.guard import Guard
from onward.egress.http import EgressError
from onward.egress.resolver import Address, Resolver

IDLE = 15.0
"""Seconds that an idle connection is kept, if the server does not say less."""

MAX_AGE = 300.0
"""Seconds after which a connection is not used again, so that a moved name is followed under load."""

_CODES = {
    errno.ECONNREFUSED: "ECONNREFUSED",
    errno.ECONNRESET: "ECONNRESET",
    errno.EPIPE: "ECONNRESET",
    errno.ETIMEDOUT: "ETIMEDOUT",
    errno.EHOSTUNREACH: "EHOSTUNREACH",
    errno.ENETUNREACH: "EHOSTUNREACH",
    errno.EHOSTDOWN: "EHOSTUNREACH",
    errno.ENETDOWN: "EHOSTUNREACH",
}


class Pool:
    def __init__(
        self,
        origin: tuple[str, str, int],
        *,
        guard: Guard,
        resolver: Resolver,
        tls: ssl.SSLContext,
        limit: int,
        cap: int,
    ) -> None:
        self._scheme, self._host, self._port = origin
        self._guard = guard
        self._resolver = resolver
        self._tls = tls if self._scheme == "https" else None
        self._limit = limit
        self._cap = cap
        self._idle: list[Connection] = []
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._opening = 0
        self.connections: set[Connection] = set()

    def take(self, now: float) -> Connection | None:
        """An idle connection, the one used last; None if there is none, or others wait for one."""
        return None if self._waiting else self._pop(now)

    def _pop(self, now: float) -> Connection | None:
        idle = self._idle
        while idle:
            connection = idle.pop()
            if connection.closed:
                continue
            if connection.expires > now:
                return connection
            connection.abort()
        return None

    async def open(self, deadline: float, *, fresh: bool = False) -> Connection:
        """A connection, new if need be or if `fresh`; raises `EgressError`."""
        try:
            async with asyncio.timeout_at(deadline):
                if fresh and self._full:  # make room: an idle one is no better than the one that failed
                    self._drop_idle()
                while self._full:
                    await self._wait()
                    lent = self._pop(asyncio.get_running_loop().time())
                    if lent is not None and not fresh:
                        return lent
                    if lent is not None:
                        lent.abort()
                self._opening += 1
                try:
                    return await self._connect()
                except BaseException:
                    self._wake()
                    raise
                finally:
                    self._opening -= 1
        except TimeoutError as error:
            raise EgressError(
                "ETIMEDOUT", f"{self._host}:{self._port} did not take the connection in time"
            ) from error

    def give(self, connection: Connection, now: float) -> None:
        """Back from a caller."""
        if connection.busy:  # the caller went away
            connection.fail(EgressError("ECONNABORTED", "cancelled"))
        elif not connection.closed:
            hint = connection.keep_alive_hint
            kept = IDLE if hint is None else min(IDLE, hint - 1.0)
            connection.expires = min(now + kept, connection.opened_at + MAX_AGE)
            if connection.expires > now:
                self._idle.append(connection)
            else:
                connection.abort()
        if self._waiting:
            self._wake()

    def sweep(self, now: float) -> None:
        """Ends exchanges past their deadline and closes what has idled too long."""
        for connection in list(self.connections):
            if connection.busy and connection.deadline <= now:
                connection.fail(EgressError("ETIMEDOUT", f"{self._host}:{self._port} did not answer in time"))
        if self._idle and self._idle[0].expires <= now:
            for connection in self._idle:
                if connection.expires <= now:
                    connection.abort()
            self._idle = [connection for connection in self._idle if not connection.closed]

    @property
    def _full(self) -> bool:
        return len(self.connections) + self._opening >= self._limit

    def _drop_idle(self) -> None:
        if self._idle:
            self._idle.pop(0).abort()

    @property
    def empty(self) -> bool:
        return not (self.connections or self._opening or self._waiting)

    def close(self) -> None:
        for connection in list(self.connections):
            connection.fail(EgressError("ECONNABORTED", "the client was closed"))

    async def _wait(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._wake()  # it was our turn: pass it on
            else:
                self._waiting.remove(turn)
            raise

    def _wake(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def _lost(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self._wake()

    async def _connect(self) -> Connection:
        addresses = await self._resolver.resolve(self._host)
        failure: EgressError | None = None
        for place, address in enumerate(addresses):
            rest = len(addresses) - place
            try:
                # A dead first address must not eat the time of the second.
                async with asyncio.timeout(2.0 if rest > 1 else None):
                    return await self._connect_to(address)
            except TimeoutError:
                failure = EgressError("ETIMEDOUT", f"{self._named(address)} did not take the connection")
            except ssl.SSLCertVerificationError as error:
                raise EgressError(
                    "TLS", f"the certificate of {self._host} was refused: {error.verify_message}"
                ) from error
            except ssl.SSLError as error:
                failure = EgressError(
                    "ECONNABORTED", f"no TLS with {self._named(address)}: {error.reason or error}"
                )
            except OSError as error:
                failure = self._failure(address, error)
        try:
            raise failure or EgressError("ENOTFOUND", f"{self._host} has no address")
        finally:
            del failure  # with its traceback it would be a cycle, and processes run without the collector

    async def _connect_to(self, address: Address) -> Connection:
        loop = asyncio.get_running_loop()
        family, numeric = address
        self._guard.check(numeric)
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            await loop.sock_connect(sock, (numeric, self._port))
            self._guard.check(sock.getpeername()[0])
        except BaseException:
            sock.close()
            raise
        connection = Connection(self._cap, self._lost)
        await loop.create_connection(
            lambda: connection, sock=sock, ssl=self._tls, server_hostname=self._host if self._tls else None
        )
        if connection.closed:
            raise ConnectionResetError("closed as soon as it was open")
        connection.opened_at = loop.time()
        self.connections.add(connection)
        return connection

    def _named(self, address: Address) -> str:
        return f"{self._host}:{self._port}" + (f" ({address[1]})" if address[1] != self._host else "")

    def _failure(self, address: Address, error: OSError) -> EgressError:
        code = _CODES.get(
            error.errno or 0, "ECONNRESET" if isinstance(error, ConnectionError) else "ECONNABORTED"
        )
        return EgressError(code, f"no connection to {self._named(address)}: {error.strerror or error}")
