"""Every answer of the front door, as bytes made once (spec §3.4), and the CORS headers around them.

Browsers post from any page, so any origin is let in. The origin is echoed rather than `*`, with
credentials allowed, because `navigator.sendBeacon` always sends in credentials mode and a browser then
refuses `*`. Nothing here depends on cookies, so this grants a page nothing that `*` would not.
"""

import base64
from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

Header = tuple[bytes, bytes]

JSON: Header = (b"content-type", b"application/json")
NO_STORE: Header = (b"cache-control", b"no-store, max-age=0")
VARY: Header = (b"vary", b"Origin")
MAX_AGE: Header = (b"access-control-max-age", b"86400")
METHODS: Header = (b"access-control-allow-methods", b"GET, HEAD, POST, OPTIONS")
EXPOSED: Header = (b"access-control-expose-headers", b"Retry-After, X-RateLimit-Reset")

ALLOWED_HEADERS = (
    b"Authorization, Content-Type, Content-Encoding, Accept, User-Agent, X-Retry-Count, X-Requested-With"
)


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: tuple[Header, ...]
    cached: bool = False
    """Whether caches may keep it."""


def answer(status: int, body: bytes, *headers: Header) -> Answer:
    return Answer(status, body, (*headers, (b"content-length", b"%d" % len(body))))


def failure(status: int, message: str, *headers: Header) -> Answer:
    """A JSON error: `{"success": false, "message": …}`."""
    return answer(status, orjson.dumps({"success": False, "message": message}), JSON, *headers)


def later(status: int, seconds: int, message: str) -> Answer:
    """A refusal that is worth trying again after `seconds`."""
    number = b"%d" % max(1, seconds)
    headers = [(b"retry-after", number)]
    if status == 429:
        headers.append((b"x-ratelimit-reset", number))
    return failure(status, message, *headers)


OK = answer(200, b'{"success": true}', JSON)
MALFORMED = failure(400, "the body is not JSON: send one JSON object in UTF-8, plain or gzipped")
BAD_GZIP = failure(400, "the body is not complete gzip: check Content-Encoding and that nothing cut it short")
BAD_ENCODING = failure(400, "this Content-Encoding is not understood: send the body plain or gzipped")
EVENT_TOO_LARGE = failure(400, "the event is larger than 32 KB")
BATCH_TOO_LARGE = failure(400, "the batch is larger than 500 KB: send smaller batches")
TOO_SLOW = failure(408, "the body took too long to arrive", (b"connection", b"close"))
NOT_FOUND = failure(404, "no such path: the Tracking API is under /v1, such as POST /v1/batch")
NO_SUCH_KEY = failure(404, "no source has this write key", NO_STORE)
POST_ONLY = failure(405, "only POST is answered here", (b"allow", b"POST, OPTIONS"))
GET_ONLY = failure(405, "only GET is answered here", (b"allow", b"GET, HEAD, OPTIONS"))
UNAVAILABLE = later(503, 5, "the event log can't be written right now; nothing of this request was kept")
DISK_FULL = later(503, 30, "the disk is down to its reserve; nothing of this request was kept")
OVERLOADED = later(503, 1, "too many requests are waiting for the disk; nothing of this request was kept")

_GIF_BYTES = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
GIF = answer(200, _GIF_BYTES, (b"content-type", b"image/gif"), NO_STORE)


def as_gif(refusal: Answer) -> Answer:
    """A refused pixel: the status and its Retry-After are honest, the image is there all the same."""
    kept = [header for header in refusal.headers if header[0] not in (b"content-type", b"content-length")]
    return answer(refusal.status, _GIF_BYTES, (b"content-type", b"image/gif"), NO_STORE, *kept)


def oversize(positions: Iterable[int], others: int) -> Answer:
    """Some events of a batch were too large; the others were taken."""
    listed = ", ".join(map(str, positions))
    return failure(
        400,
        f"events larger than 32 KB were discarded: {listed}; the other {others} events were taken, "
        "so do not send them again",
    )


def preflight(origin: bytes | None, requested: bytes | None) -> Answer:
    """The answer to OPTIONS: whatever headers the browser asks for are allowed."""
    headers: list[Header] = [METHODS, MAX_AGE]
    allowed = requested if requested and _is_header_list(requested) else ALLOWED_HEADERS
    headers.append((b"access-control-allow-headers", allowed))
    if origin is None:
        headers.append((b"allow", b"GET, HEAD, POST, OPTIONS"))
    return Answer(204, b"", tuple(headers))


def _is_header_list(value: bytes) -> bool:
    return (
        len(value) <= 1024
        and value.replace(b",", b"").replace(b" ", b"").replace(b"-", b"").replace(b"_", b"").isalnum()
    )


def cors(origin: bytes) -> tuple[Header, ...]:
    """Headers that let a page of this origin read the answer."""
    if len(origin) > 1024 or not origin.isascii() or any(byte < 0x21 for byte in origin):
        return ()
    return (
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        EXPOSED,
        VARY,
    )


def start(reply: Answer, origin: bytes | None) -> dict[str, Any]:
    """The ASGI message that opens this answer."""
    headers = reply.headers
    if origin is not None:
        headers = (*headers, *cors(origin))
    elif reply.cached:
        headers = (*headers, VARY)  # Or a cache would give this one to a page, which may not read it.
    return {"type": "http.response.start", "status": reply.status, "headers": headers}
