"""What a function's fetch becomes: requests of Onward's egress, counted and bounded, kept for people to see.

Every hop goes through the address guard again. Redirects are followed as node-fetch 2 does: GET and HEAD keep
their method, 303 (and 301 and 302 of a POST) become GET without a body; Authorization, cookies and keys do
not follow to another origin, and nothing follows from https to plain http.
"""

import asyncio
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from http.client import responses as REASONS  # noqa: N812  (a constant, whatever its name there)
from typing import Any

import msgspec

from onward.egress import redact
from onward.egress.http import Client, EgressError, Request, Response
from onward.egress.masking import Masking
from onward.egress.record import Recorder
from onward.egress.url import join, parse
from onward.functions.wire import Fetch

REDIRECTS = frozenset({301, 302, 303, 307, 308})
BLOCKED = {"BLOCKED_ADDRESS": "EBLOCKED"}
"""Names of errors that functions see, where they are not ours."""


class FetchLimits(msgspec.Struct, frozen=True, kw_only=True):
    requests: int = 100
    """In an invocation, hops included."""
    at_once: int = 50
    body: int = 6 << 20
    """Bytes, of a request and of an answer."""
    bodies: int = 32 << 20
    """Bytes of all answers of an invocation."""
    hops: int = 5


class Fetcher:
    """The requests of one invocation. `timeout`: seconds that one may take."""

    def __init__(self, http: Client, masking: Masking, limits: FetchLimits, timeout: float) -> None:
        self.record = Recorder(http, masking)
        self._limits = limits
        self._timeout = timeout
        self._sent = 0
        self._received = 0
        self._slots = asyncio.Semaphore(limits.at_once)

    async def fetch(self, asked: Fetch) -> dict[str, Any]:
        """The frame that answers it."""
        try:
            async with self._slots:
                url, response, hops = await self._follow(asked)
        except EgressError as error:
            return {
                "t": "fr",
                "id": asked.id,
                "err": error.message,
                "code": BLOCKED.get(error.code, error.code),
            }
        return {
            "t": "fr",
            "id": asked.id,
            "status": response.status,
            "statusText": REASONS.get(response.status, ""),
            "headers": list(_pairs(response)),
            "body": b64encode(response.body).decode("ascii"),
            "url": url,
            "redirected": hops > 0,
        }

    async def _follow(self, asked: Fetch) -> tuple[str, Response, int]:
        request = self._request(asked)
        for hop in range(self._limits.hops + 1):
            response = await self._send(request)
            location = response.headers.get("location")
            if response.status not in REDIRECTS or not location or asked.redirect == "manual":
                return request.url, response, hop
            if asked.redirect == "error":
                raise EgressError("EREDIRECT", f"{parse(request.url).authority} redirects")
            request = _next(request, response.status, location)
        raise EgressError("EREDIRECT", f"more than {self._limits.hops} redirects")

    def _request(self, asked: Fetch) -> Request:
        try:
            body = b64decode(asked.body, validate=True) if asked.body else b""
        except ValueError:
            raise EgressError("INVALID_URL", "the body is not base64") from None
        if len(body) > self._limits.body:
            raise EgressError(
                "ELIMIT", f"the request's body has {len(body):,} bytes, at most {self._limits.body:,} go"
            )
        timeout = self._timeout
        if asked.timeout is not None and 0 < asked.timeout < timeout * 1000:
            timeout = asked.timeout / 1000
        return Request(
            method=asked.method,
            url=asked.url.partition("#")[0],
            headers=dict(asked.headers),
            body=body,
            timeout=timeout,
            follow_307=False,
            keep=self._limits.body + 1,
        )

    async def _send(self, request: Request) -> Response:
        self._sent += 1
        if self._sent > self._limits.requests:
            raise EgressError("ELIMIT", f"more than {self._limits.requests} requests in one invocation")
        response = await self.record.send(request)
        if len(response.body) > self._limits.body:
            raise EgressError("ELIMIT", f"the answer has more than {self._limits.body:,} bytes")
        self._received += len(response.body)
        if self._received > self._limits.bodies:
            raise EgressError(
                "ELIMIT", f"the answers of one invocation have more than {self._limits.bodies:,} bytes"
            )
        return response


def _pairs(response: Response) -> Iterator[tuple[str, str]]:
    """Headers that functions see, each cookie by itself: they come joined by commas."""
    for name, value in response.headers.items():
        if name == "set-cookie":
            for cookie in _COOKIES.split(value):
                yield name, cookie
        elif name not in _FRAMING:
            yield name, value


_COOKIES = re.compile(r",\s*(?=[^\s;,=]+=)")
"""A comma before a cookie, not one within a date."""
_FRAMING = frozenset({"content-encoding", "transfer-encoding", "content-length", "connection", "keep-alive"})


def _next(request: Request, status: int, location: str) -> Request:
    url = join(request.url, location)
    here, there = parse(request.url), parse(url)
    if here.scheme == "https" and there.scheme == "http":
        raise EgressError("INVALID_URL", f"{here.authority} redirects from https to plain http")
    method, body, headers = request.method, request.body, dict(request.headers)
    if here.origin != there.origin:
        headers = {name: value for name, value in headers.items() if not redact.is_secret_header(name)}
    if (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST"):
        method, body = "GET", b""
        headers = {name: value for name, value in headers.items() if not name.lower().startswith("content-")}
    return msgspec.structs.replace(request, url=url, method=method, headers=headers, body=body)
