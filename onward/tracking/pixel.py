"""The pixel API: `GET /v1/pixel/{type}?data=<base64 JSON>` or dotted query keys (spec §3.6).

It gives the body that the same call by POST would have had; the road behind it is the same.
"""

import base64
import binascii
from typing import Any
from urllib.parse import parse_qsl

import orjson

from onward.tracking.limits import QUERY_BYTES

MAX_DEPTH = 32
"""Dots in a key beyond this are part of the name: no real event is nested deeper."""
MAX_FIELDS = 10_000


class BadQuery(Exception):
    """The query holds no event."""


def event_body(query: bytes) -> bytes:
    """The JSON body of the call. Raises `BadQuery`."""
    if len(query) > QUERY_BYTES:
        raise BadQuery(f"the query is longer than {QUERY_BYTES} bytes")
    try:
        pairs = parse_qsl(query.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise BadQuery(str(error)) from error
    for name, value in pairs:
        if name == "data":
            return _decode(value)
    event: dict[str, Any] = {}
    for name, value in pairs:
        _put(event, name, value)
    return orjson.dumps(event)


def _decode(data: str) -> bytes:
    # An unescaped + arrives as a space; URL-safe letters and missing padding are as good.
    data = data.replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(data + "=" * (-len(data) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadQuery(f"data is not base64: {error}") from error


def _put(event: dict[str, Any], dotted: str, value: str) -> None:
    """`properties.plan=pro` → `{"properties": {"plan": "pro"}}`; an object beats a plain value."""
    *path, last = dotted.split(".", MAX_DEPTH)
    for name in path:
        inner = event.get(name)
        if not isinstance(inner, dict):
            inner = event[name] = {}
        event = inner
    if not isinstance(event.get(last), dict):
        event[last] = value
