"""How deep an event may be nested: what comes in must also go out again.

orjson reads 1,024 levels and writes 254. An event between the two would pass the door and then fail
every destination, so it is a discard at the door instead.
"""

from typing import Any

import orjson

HEADROOM = 54
"""Levels left for what readers wrap around an event."""
MAX_DEPTH = 254 - HEADROOM


def may_be_too_deep(body: bytes, largest: int) -> bool:
    """Whether a part of `largest` bytes of this body could be nested deeper than `MAX_DEPTH`.

    A level takes a `[` or, for an object, at least the five bytes of `{"":}`. Most events are too small
    for it, which this knows in no time.
    """
    return largest // 5 + body.count(b"[") > MAX_DEPTH


def too_deep(value: Any) -> bool:
    """Whether a decoded value is nested deeper than `MAX_DEPTH`."""
    for _ in range(HEADROOM):
        value = [value]
    try:
        orjson.dumps(value)
    except TypeError:
        return True
    return False
