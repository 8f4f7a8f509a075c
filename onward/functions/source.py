"""Source functions (spec §10.9): a request becomes what `onRequest` gets, and what it sent becomes events.

Pure. What a runner says its code sent is checked as if an attacker had written it; whether the events are
good ones is for the front door to say, as of every client's.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import orjson

from onward.functions.errors import Ending, Kind
from onward.functions.process import Invocation

HANDLER = "onRequest"
SET = "set"
"""An object for warehouses, which the event log has no place for."""
KNOWN = frozenset({"identify", "track", "group", "page", "screen", "alias", SET})
LARGEST = 512 * 1024
"""Bytes of a request's body."""
MOST = 2 << 20
"""Bytes of all events of a request."""
NOT_FORWARDED = frozenset({"connection", "transfer-encoding", "content-length", "content-encoding", "cookie"})


class Request(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    """Complete, with the query."""
    method: str = "POST"
    headers: Sequence[tuple[str, str]] = ()
    body: str = ""

    def frame(self) -> dict[str, Any]:
        """As the runner takes it."""
        return {
            "url": self.url,
            "method": self.method,
            "headers": [pair for pair in self.headers if pair[0].lower() not in NOT_FORWARDED],
            "body": self.body,
        }


class Sent(msgspec.Struct, frozen=True):
    """What came of one request."""

    ending: Ending
    events: Sequence[dict[str, Any]] = ()
    """None unless it went well."""
    objects: Sequence[dict[str, Any]] = ()
    """What `Segment.set` was called with."""


def sent(made: Invocation) -> Sent:
    """What a call of `onRequest` came to."""
    if made.ending.kind is not Kind.OK:
        return Sent(made.ending)
    if made.dropped or len(bytes(made.value)) > MOST:
        return Sent(Ending(Kind.BAD_REQUEST, "the events of one request are more than can be taken"))
    try:
        events = orjson.loads(bytes(made.value))
    except orjson.JSONDecodeError:
        events = None
    if not isinstance(events, list) or not all(
        isinstance(event, dict) and event.get("type") in KNOWN for event in events
    ):
        return Sent(Ending(Kind.BAD_REQUEST, "what the function sent are no events"))
    return Sent(
        made.ending,
        [event for event in events if event["type"] != SET],
        [event for event in events if event["type"] == SET],
    )
