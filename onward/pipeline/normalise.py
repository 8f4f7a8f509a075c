"""A stored request into the events that it holds, complete (spec §3.5, §4). Done once for all destinations.

The door keeps bodies as they came, so everything that the specification has the server add is added here,
and only here: what the batch shares, type, messageId, the four timestamps, ip, channel, version. Reading a
record again gives the same events again.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from math import isfinite
from typing import Any

import msgspec
import orjson

from onward.pipeline import timestamps
from onward.pipeline.types import Envelope, Event

MAX_PROPERTIES = 10_000
"""Further properties or traits of an event are dropped, the event is kept (spec §3.3)."""
SPEC_VERSION = 2
USER_DELETED = "USER_DELETED"

CHANNELS = {
    "analytics.js": "browser",
    "analytics-ios": "mobile",
    "analytics-android": "mobile",
    "analytics-swift": "mobile",
    "analytics-kotlin": "mobile",
    "analytics_flutter": "mobile",
    "analytics-flutter": "mobile",
    "analytics-react-native": "mobile",
    "@segment/analytics-react-native": "mobile",
    "analytics.xamarin": "mobile",
}
"""Library → channel, for the libraries that run on users' devices; all others are servers."""
CLIENT_CHANNELS = frozenset({"browser", "web", "mobile", "client"})


class Undecodable(msgspec.Struct, frozen=True):
    """An accepted event that can't be read any more: one discard, its neighbours go on."""

    position: int
    reason: str
    code: str = "BAD_REQUEST"
    """Spec §12.4; `USER_DELETED` if the event was taken out of the log with its user."""


def normalise(envelope: Envelope, body: bytes, count: int = 1) -> list[Event | Undecodable]:
    """The accepted events of a request, in order; never raises, whatever the body.

    `count` is how many the door accepted: as many `Undecodable` come back if nothing of the body can be
    read. A batch's `context` and `integrations` go into its items key by key, and the item's own keys win
    whole: half of one page and half of another would be no page.
    """
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        content = _salvage(body) if envelope.batch else None
        if content is None:
            return [Undecodable(position, f"the body is not JSON: {error}") for position in range(count)]
    if not envelope.batch:
        return [_Request(envelope, {}).complete(content, 0)]
    if envelope.complete:
        return _as_stored(content, frozenset(envelope.skip), count)
    items = content.get("batch") if type(content) is dict else None
    if type(items) is not list:
        return [Undecodable(position, "the body holds no batch") for position in range(count)]
    complete = _Request(envelope, content).complete
    if not envelope.skip:
        return [complete(item, position) for position, item in enumerate(items)]
    skip = frozenset(envelope.skip)
    return [complete(item, position) for position, item in enumerate(items) if position not in skip]


def completer(envelope: Envelope, content: Any) -> Callable[[Event, int], Event | Undecodable]:
    """A function of an event and its position that completes it, and leaves the one given as it is.

    `content` is the decoded body of a batch, for what its events share.
    """
    complete = _Request(envelope, content if type(content) is dict else {}).complete

    def completed(event: Event, position: int) -> Event | Undecodable:
        context = event.get("context")
        return complete({**event, "context": {**context}} if type(context) is dict else {**event}, position)

    return completed


def _as_stored(content: Any, skip: frozenset[int], count: int) -> list[Event | Undecodable]:
    items = content.get("batch") if type(content) is dict else None
    if type(items) is not list:
        return [Undecodable(position, "the body holds no batch") for position in range(count)]
    return [
        item if type(item) is dict else _no_object(item, position)
        for position, item in enumerate(items)
        if position not in skip
    ]


def trim_properties(event: Event, most: int = MAX_PROPERTIES) -> Event:
    """The event with at most `most` properties and as many traits, the first; itself if it has no more."""
    for field in ("properties", "traits"):
        if field in event:
            values = event[field]
            if type(values) is dict and len(values) > most:
                event = {**event, field: dict(list(values.items())[:most])}
    return event


class _Request:
    """What the events of one request have in common."""

    __slots__ = (
        "context", "direct", "ids", "integrations", "ip",
        "received", "received_at", "sent", "sent_at", "type", "user_agent",
    )  # fmt: skip

    def __init__(self, envelope: Envelope, content: dict[str, Any]) -> None:
        self.received = envelope.received_at
        self.received_at = timestamps.render(envelope.received_at)
        self.sent, self.sent_at = _clock(content.get("sentAt"))
        self.context = _object(content.get("context"))
        self.integrations = _object(content.get("integrations"))
        self.type = envelope.type
        self.ids = envelope.ids
        self.ip = _ipv4(envelope.ip)
        self.user_agent = envelope.user_agent
        self.direct = envelope.direct

    def complete(self, event: Any, position: int) -> Event | Undecodable:
        """The event as destinations get it; `event` is freshly decoded and is changed in place."""
        if type(event) is not dict:
            return event if type(event) is Undecodable else _no_object(event, position)
        if self.ids and position in self.ids:
            event["messageId"] = self.ids[position]
        elif type(event.get("messageId")) is not str:
            return Undecodable(position, "the event has no messageId")
        if self.type is not None:
            event["type"] = self.type
        elif type(event.get("type")) is not str:
            return Undecodable(position, "the event has no type")
        event["version"] = SPEC_VERSION
        event["receivedAt"] = self.received_at
        event.pop("writeKey", None)
        self._share(event)
        self._add_origin(event)
        self._correct_times(event)
        return trim_properties(event)

    def _share(self, event: Event) -> None:
        context = event.get("context")
        if type(context) is not dict:
            event["context"] = dict(self.context)
        elif self.context:
            event["context"] = {**self.context, **context}
        integrations = event.get("integrations")
        if type(integrations) is not dict:
            event["integrations"] = dict(self.integrations)
        elif self.integrations:
            event["integrations"] = {**self.integrations, **integrations}

    def _add_origin(self, event: Event) -> None:
        """`channel`, and the caller's address where the caller is the user's device (spec §4.2)."""
        context = event["context"]
        channel = context.get("channel") or event.get("channel")
        if type(channel) is not str:
            library = context.get("library")
            name = library.get("name") if type(library) is dict else None
            channel = CHANNELS.get(name, "server") if type(name) is str else "server"
            if self.direct and channel == "server":
                channel = "browser"
        event["channel"] = channel
        direct = self.direct or ("direct" in context and context["direct"] in (True, "true"))
        if not direct and channel not in CLIENT_CHANNELS:
            return
        if self.ip and not context.get("ip"):
            context["ip"] = self.ip
        # The SDK of an app calls in its own name; only a browser's header is the user agent of the user.
        if self.user_agent and channel != "mobile" and not context.get("userAgent"):
            context["userAgent"] = self.user_agent

    def _correct_times(self, event: Event) -> None:
        """`timestamp` = receivedAt − (sentAt − originalTimestamp) (spec §4.3).

        What is no time counts as not given. A caller's `timestamp` becomes `originalTimestamp`; without
        one the event happened when it was received, without `sentAt` there is nothing to correct, and a
        result beyond the years 1 to 9999 is no correction.
        """
        sent, sent_at = self.sent, self.sent_at
        if "sentAt" in event:
            own, text = _clock(event["sentAt"])
            if own is not None:
                sent, sent_at = own, text
            elif sent is None:
                del event["sentAt"]
        if sent is not None:
            event["sentAt"] = sent_at
        original = timestamps.read(event.get("timestamp"))
        if original is None and "originalTimestamp" in event:
            original = timestamps.read(event.pop("originalTimestamp"))
        if original is None:
            event["timestamp"] = self.received_at
            return
        happened, event["originalTimestamp"] = original
        if sent is None:
            event["timestamp"] = original[1]
            return
        corrected = self.received - sent + happened
        in_range = timestamps.EARLIEST <= corrected <= timestamps.LATEST
        event["timestamp"] = timestamps.render(corrected) if in_range else self.received_at


def _no_object(item: Any, position: int) -> Undecodable:
    """The door accepts objects alone, so a null in the place of an event was put there by an erasure."""
    if item is None:
        return Undecodable(position, "deleted with its user", USER_DELETED)
    return Undecodable(position, "the event is not an object")


def _clock(value: Any) -> tuple[int | None, str]:
    """A `sentAt`. One before 1970 is no clock's: some libraries send the year 1 for "not set"."""
    found = timestamps.read(value)
    return found if found is not None and found[0] >= 0 else (None, "")


def _object(value: Any) -> dict[str, Any]:
    return value if type(value) is dict else {}


def _ipv4(ip: str | None) -> str | None:
    """IPv6 is not collected (spec §4.2); an IPv4 address in IPv6 clothes is one."""
    if ip is None:
        return None
    ip = ip.removeprefix("::ffff:")
    return None if ":" in ip else ip


def _salvage(body: bytes) -> Any:
    """The body with `Undecodable` in the place of the batch items that are in the way; None if it can't be.

    The door lets no such body through; this is for what an earlier version of a decoder let through.
    Python's own decoder takes more than orjson does, so what can't go back is the poison.
    """
    try:
        text = body.decode("utf-8", "surrogateescape")
        content = json.loads(text, parse_float=_number, parse_constant=Decimal)
        if type(content) is dict and type(content.get("batch")) is list:
            items = content.pop("batch")
            shared = orjson.loads(json.dumps(content))
            return {**shared, "batch": [_reload(item, position) for position, item in enumerate(items)]}
    except (ValueError, TypeError, RecursionError):
        pass
    return None


def _reload(item: Any, position: int) -> Any:
    try:
        return orjson.loads(json.dumps(item))
    except TypeError:
        return Undecodable(position, "the event holds a number that is no double")
    except (ValueError, RecursionError) as error:
        return Undecodable(position, f"the event is not JSON that can be read: {error}")


def _number(text: str) -> float | Decimal:
    """A Decimal, which can't be written as JSON, for what is no double."""
    number = float(text)
    return number if isfinite(number) else Decimal(text)
