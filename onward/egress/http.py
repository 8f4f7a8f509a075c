"""The one way out: what a destination asks for, what it gets back, and how it fails.

`Client` is implemented in `onward.egress.client`, over the address guard of `onward.egress.guard`.
"""

from typing import Protocol

import msgspec


class Request(msgspec.Struct, frozen=True, kw_only=True):
    method: str = "POST"
    url: str
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    body: bytes = b""
    timeout: float = 10.0
    """Seconds for the whole exchange: connect, send, answer."""
    follow_307: bool = True
    """Whether a 307 (or 308) is followed, each hop through the guard again; other redirects never are."""
    keep: int | None = None
    """Bytes of the answer's body that are kept; None for the client's response cap."""


class Response(msgspec.Struct, frozen=True, kw_only=True):
    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    """Cut at the client's response cap, or at what the request said."""


class EgressError(Exception):
    """No answer. `code` is the errno name that Segment reports (spec §11.3): `ETIMEDOUT`,
    `ECONNREFUSED`, `ECONNRESET`, `ENOTFOUND`, `EAI_AGAIN`, `EHOSTUNREACH`, `ECONNABORTED` are retried;
    `BLOCKED_ADDRESS` (the guard refused), `INVALID_URL`, `INVALID_HEADER` and `TLS` (certificate refused)
    are not.
    """

    RETRYABLE = frozenset(
        {"ETIMEDOUT", "ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ECONNABORTED"}
    )

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def retryable(self) -> bool:
        return self.code in self.RETRYABLE


class Client(Protocol):
    async def send(self, request: Request) -> Response:
        """One exchange. Any status is an answer; raises `EgressError` when there is none."""
        ...

    async def resolve(self, host: str) -> list[str]:
        """The addresses of a name or numeric address, in the order to try them, all of them judged by the
        guard; for what speaks a protocol of its own, over connections of its own making to just these.
        Raises `EgressError`.
        """
        ...

    async def close(self) -> None: ...
