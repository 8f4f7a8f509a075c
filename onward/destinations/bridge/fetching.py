"""What a fetch of the worker becomes: a request of Onward's egress, and an answer that JavaScript can read.

Redirects are followed as fetch does for GET and HEAD, each hop through the address guard again; others keep
to the egress client's own rule (307 and 308 only), so that no data is dropped on the way.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from http.client import responses as REASONS  # noqa: N812  (a constant, whatever its name there)
from typing import Any

import msgspec
import orjson

from onward.destinations.definition import Call
from onward.egress import redact
from onward.egress.http import EgressError, Request, Response
from onward.egress.url import join, parse

CAP = 16 << 20
"""Bytes of a body that an action gets to see: lists of choices may be long."""
LONGEST = 60.0
"""Seconds that an action may ask for a request to take."""
HOPS = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


async def fetch(message: Mapping[str, Any], call: Call) -> Response:
    """Raises `EgressError`."""
    method, url = message["method"], message["url"]
    content = message.get("body")
    body = content.encode("utf-8", "replace") if content is not None else b64decode(message.get("base64", ""))
    headers: dict[str, str] = dict(message["headers"])
    limit = message.get("limit")
    by_hand = method in ("GET", "HEAD")
    follow = message.get("redirect", "follow") == "follow"
    request = Request(
        method=method,
        url=url,
        headers=headers,
        body=body,
        timeout=call.timeout if limit is None else min(LONGEST, max(call.timeout, limit / 1000)),
        follow_307=follow and not by_hand,
        keep=CAP,
    )
    response = await call.http.send(request)
    if not (by_hand and follow):
        return response
    for _ in range(HOPS):
        location = response.headers.get("location")
        if response.status not in _REDIRECTS or not location:
            return response
        here, url = parse(request.url), join(request.url, location)
        there = parse(url)
        if here.scheme == "https" and there.scheme == "http":
            raise EgressError("INVALID_URL", f"{here.authority} redirects from https to plain http")
        if here.origin != there.origin:
            headers = {name: value for name, value in headers.items() if not redact.is_secret_header(name)}
        request = msgspec.structs.replace(request, url=url, headers=headers)
        response = await call.http.send(request)
    raise EgressError("INVALID_URL", f"more than {HOPS} redirects from {parse(message['url']).authority}")


def answer(id: int, response: Response) -> bytes:
    """The line that tells the worker."""
    told: dict[str, Any] = {
        "t": "answer",
        "id": id,
        "status": response.status,
        "reason": REASONS.get(response.status, ""),
        "headers": list(response.headers.items()),
    }
    try:
        told["body"] = response.body.decode()
    except UnicodeDecodeError:
        told["base64"] = b64encode(response.body).decode("ascii")
    return orjson.dumps(told)


def failure(id: int, error: EgressError) -> bytes:
    return orjson.dumps({"t": "answer", "id": id, "error": {"code": error.code, "message": error.message}})
