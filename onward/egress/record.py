"""Exchanges kept for people to see: `Recorder`, a `Client` around another.

Invariants:
- Nothing that lets someone in is ever in a record: masked are secret headers and query parameters by their
  names, tokens and keys in bodies by theirs, and the values that it is told, wherever and however they are
  written. Masking comes first, cutting after it.
- A record is bounded: so many exchanges, so much of a body. What is left out is counted.
- An exchange is on record from the moment that it begins, so one that never ends shows too.
"""

import asyncio
import codecs
import time
import zlib
from collections.abc import Mapping

import msgspec

from onward.egress import redact
from onward.egress.http import Client, EgressError, Request, Response
from onward.egress.masking import Masking

MOST = 20
"""Exchanges that a record keeps."""
BODY = 64 * 1024
"""Characters of a body that a record keeps."""
UNPACKED = 1 << 20
"""Bytes that a compressed body is unpacked to at most."""


_utf8 = codecs.getincrementaldecoder("utf-8")


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    method: str
    url: str
    headers: dict[str, str]
    body: str


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    status: int
    headers: dict[str, str]
    body: str


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    message: str


class Exchange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One request and what came of it: `response`, `error`, or neither while it is under way."""

    request: Sent
    response: Answered | None = None
    error: Failure | None = None
    duration_ms: float | None = None


class _Taken(msgspec.Struct):
    """An exchange in clear, for this process's memory alone."""

    request: Request
    response: Response | None = None
    error: Failure | None = None
    duration_ms: float | None = None


class Recorder:
    """`masking` knows the values that must not show. It does not close the client, which others use too."""

    def __init__(self, client: Client, masking: Masking, most: int = MOST) -> None:
        self._client = client
        self._masking = masking
        self._most = most
        self._taken: list[_Taken] = []
        self.left_out = 0

    @property
    def count(self) -> int:
        """All exchanges, those left out included."""
        return len(self._taken) + self.left_out

    async def send(self, request: Request) -> Response:
        if len(self._taken) >= self._most:
            self.left_out += 1
            return await self._client.send(request)
        taken = _Taken(request)
        self._taken.append(taken)
        start = time.perf_counter()
        try:
            taken.response = await self._client.send(request)
        except EgressError as error:
            taken.error = Failure(code=error.code, message=error.message)
            raise
        except asyncio.CancelledError as reason:
            message = f"given up on: {str(reason) or 'it took too long'}"
            taken.error = Failure(code="ECONNABORTED", message=message)
            raise
        finally:
            taken.duration_ms = round((time.perf_counter() - start) * 1000, 1)
        return taken.response

    async def resolve(self, host: str) -> list[str]:
        """For protocols of their own, whose talk is not on record."""
        return await self._client.resolve(host)

    async def close(self) -> None:
        pass

    def exchanges(self) -> list[Exchange]:
        """What there is to see, in the order in which it began. Takes milliseconds for long bodies: call it
        in a thread."""
        return [
            Exchange(
                request=self._sent(taken.request),
                response=None if taken.response is None else self._answered(taken.response),
                error=taken.error
                and Failure(code=taken.error.code, message=self._masking.text(taken.error.message)),
                duration_ms=taken.duration_ms,
            )
            for taken in self._taken
        ]

    def _sent(self, request: Request) -> Sent:
        return Sent(
            method=request.method,
            url=self._masking.text(redact.url(request.url)),
            headers=self._headers(request.headers),
            body=self._body(request.body, request.headers),
        )

    def _answered(self, response: Response) -> Answered:
        return Answered(
            status=response.status,
            headers=self._headers(response.headers),
            body=self._body(response.body, response.headers),
        )

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {
            self._masking.text(name.lower()): self._masking.text(value)
            for name, value in redact.headers(headers).items()
        }

    def _body(self, body: bytes, headers: Mapping[str, str]) -> str:
        coding = next((value for name, value in headers.items() if name.lower() == "content-encoding"), "")
        try:
            text = _utf8().decode(_unpacked(body, coding))  # a cut may fall within the last character
        except (UnicodeDecodeError, zlib.error):
            return f"({len(body):,} bytes that are no text)"
        text = self._masking.text(redact.body(text))
        return text if len(text) <= BODY else f"{text[:BODY]}… ({len(text) - BODY:,} characters more)"


class DryRun:
    """A `Client` that sends nothing: it ends an action at its first request, which a `Recorder` around it
    has seen."""

    async def send(self, request: Request) -> Response:
        raise EgressError("ECONNABORTED", "not sent: this is a dry run")

    async def resolve(self, host: str) -> list[str]:
        raise EgressError("ECONNABORTED", "not connected: this is a dry run")

    async def close(self) -> None:
        pass


def _unpacked(body: bytes, coding: str) -> bytes:
    """The body in clear, cut where it gets long; raises zlib.error if it is not what it says to be."""
    if coding.strip().lower() in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(wbits=47).decompress(body, UNPACKED)
    return body
