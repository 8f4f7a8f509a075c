"""How many requests a caller may make: so many in each minute, told in headers of every answer (spec §17.3).

Headers and error are Segment's, and its `X-RateLimit-Reset` is a date. Callers are told apart by token or
session once one was good, strangers by address: so made-up tokens get nobody more requests. Kept in memory,
and counted for the running minute alone: a restart forgets it, and callers beyond `MOST` share one count.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from litestar.connection import ASGIConnection
from litestar.datastructures import MutableScopeHeaders
from litestar.exceptions import TooManyRequestsException
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from onward import forwarded
from onward.api.auth import session_token

WINDOW = 60
"""Seconds."""
MOST = 50_000
STATE = "onward_rate_limit"


@dataclass(frozen=True)
class Standing:
    """Where a caller stands after a request."""

    limit: int
    consumed: int
    reset_at: int
    """Seconds since the epoch."""
    ms_before_next: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.consumed)

    @property
    def exceeded(self) -> bool:
        return self.consumed > self.limit


class RateLimit:
    def __init__(self, limit: int, clock: Callable[[], float] = time.time) -> None:
        self.limit = limit
        self._clock = clock
        self._window = 0
        self._consumed: dict[str, int] = {}
        self._known: set[str] = set()

    def knows(self, key: str) -> bool:
        """Whether these credentials were good before."""
        return key in self._known

    def recognise(self, key: str, counted_as: str) -> None:
        """Credentials turned out to be good; their request was counted as a stranger's."""
        if len(self._known) >= MOST:
            self._known.clear()
        self._known.add(key)
        if self._consumed.get(counted_as):
            self._consumed[counted_as] -= 1
            self._consumed[key] = self._consumed.get(key, 0) + 1

    def take(self, key: str) -> Standing:
        """Count a request."""
        now = self._clock()
        window = int(now // WINDOW)
        if window != self._window:
            self._window, self._consumed = window, {}
        if key not in self._consumed and len(self._consumed) >= MOST:
            key = ""
        self._consumed[key] = consumed = self._consumed.get(key, 0) + 1
        reset_at = (window + 1) * WINDOW
        return Standing(self.limit, consumed, reset_at, max(0, int((reset_at - now) * 1000)))


def limited(app: ASGIApp) -> ASGIApp:
    """Middleware: refuses what is too much, before anything is looked up."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        standing = _standing(scope)
        if standing.exceeded:
            raise TooManyRequestsException(
                f"more than {standing.limit} requests in a minute",
                headers={"retry-after": str(-(-standing.ms_before_next // 1000))},
                extra={
                    "remainingPoints": 0,
                    "msBeforeNext": standing.ms_before_next,
                    "consumedPoints": standing.consumed,
                },
            )
        await app(scope, receive, send)
        if scope.get("auth") is not None:
            connection = ASGIConnection[Any, Any, Any, Any](scope)
            key, limit = _credentials(connection), connection.app.state.rate_limit
            if key is not None and not limit.knows(key):
                limit.recognise(key, _address(connection))

    return middleware


async def tell_standing(message: Message, scope: Scope) -> None:
    """Hook before sending: the headers, also of answers that no route has made."""
    if message["type"] != "http.response.start":
        return
    standing = _standing(scope)
    headers = MutableScopeHeaders(message)
    headers["x-ratelimit-limit"] = str(standing.limit)
    headers["x-ratelimit-consumed"] = str(standing.consumed)
    headers["x-ratelimit-remaining"] = str(standing.remaining)
    headers["x-ratelimit-reset"] = formatdate(standing.reset_at, usegmt=True)


def _standing(scope: Scope) -> Standing:
    """Of the caller, counted once for each request."""
    state: dict[str, Any] = scope.setdefault("state", {})
    if STATE not in state:
        connection = ASGIConnection[Any, Any, Any, Any](scope)
        state[STATE] = connection.app.state.rate_limit.take(_caller(connection))
    standing: Standing = state[STATE]
    return standing


def _caller(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    key = _credentials(connection)
    return key if key is not None and connection.app.state.rate_limit.knows(key) else _address(connection)


def _credentials(connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    """A digest of them, whether they are good or not."""
    given = connection.headers.get("authorization") or session_token(connection)
    return hashlib.blake2b(given.encode(errors="replace"), digest_size=16).hexdigest() if given else None


def _address(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    return f"address {forwarded.caller(dict(connection.scope['headers']), connection.scope)}"
