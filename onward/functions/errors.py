"""What becomes of an event that a function was called for: the table of spec §10.3.

Pure. `name` decides, not the class: libraries and older code bring errors of their own by these names.
"""

from enum import StrEnum
from typing import Any, Literal

import msgspec

from onward.functions.wire import Thrown


class Kind(StrEnum):
    """As people see them."""

    OK = "OK"
    BAD_REQUEST = "Bad Request"
    INVALID_SETTINGS = "Invalid Settings"
    MESSAGE_REJECTED = "Message Rejected"
    UNSUPPORTED_EVENT_TYPE = "Unsupported Event Type"
    RETRY = "Retry"
    TIMEOUT = "Timeout"
    TOO_MANY_REQUESTS = "Too Many Requests"
    DROPPED = "Dropped"


CODES = {
    Kind.OK: "",
    Kind.BAD_REQUEST: "bad_request",
    Kind.INVALID_SETTINGS: "invalid_settings",
    Kind.MESSAGE_REJECTED: "message_rejected",
    Kind.UNSUPPORTED_EVENT_TYPE: "unsupported_event_type",
    Kind.RETRY: "retry",
    Kind.TIMEOUT: "gateway_timeout",
    Kind.TOO_MANY_REQUESTS: "too_many_requests",
    Kind.DROPPED: "dropped",
}
RETRIED = frozenset({Kind.RETRY, Kind.TIMEOUT, Kind.TOO_MANY_REQUESTS})
BY_NAME = {
    "RetryError": Kind.RETRY,
    "EventNotSupported": Kind.UNSUPPORTED_EVENT_TYPE,
    "InvalidEventPayload": Kind.MESSAGE_REJECTED,
    "ValidationError": Kind.MESSAGE_REJECTED,
    "DropEvent": Kind.DROPPED,
}
ATTEMPTS = 10
"""The first, and nine more within `RETRY_FOR`."""
RETRY_FOR = 4 * 3600.0


class Ending(msgspec.Struct, frozen=True):
    """What became of one event."""

    kind: Kind
    message: str = ""
    retry_after: float | None = None
    """Seconds."""

    @property
    def code(self) -> str:
        """Of §10.3, and empty for what went well."""
        return CODES[self.kind]

    @property
    def action(self) -> Literal["delivered", "retry", "discarded", "filtered"]:
        if self.kind is Kind.OK:
            return "delivered"
        if self.kind is Kind.DROPPED:
            return "filtered"
        return "retry" if self.kind in RETRIED else "discarded"


OK = Ending(Kind.OK)


def of_thrown(error: Thrown) -> Ending:
    return Ending(BY_NAME.get(error.name, Kind.BAD_REQUEST), error.message or error.name)


def of_item(value: Any) -> Ending:
    """One entry of what onBatch returned: `{status, errormessage}`; what has no status went well."""
    if not isinstance(value, dict):
        return OK
    status = value.get("status")
    if isinstance(status, str) and status.isdecimal():
        status = int(status[:9])
    if isinstance(status, bool) or not isinstance(status, int | float) or status < 400:
        return OK
    said = next((value[name] for name in ("errormessage", "errorMessage", "message") if value.get(name)), "")
    message = f"status {status:g}{f': {said}' if said else ''}"[:4096]
    return Ending(Kind.RETRY if status >= 500 or status in (408, 423, 429) else Kind.BAD_REQUEST, message)


def of_batch(whole: Ending, value: Any, events: int) -> list[Ending]:
    """One for each event: what the array that onBatch returned says of it, or else what became of all.

    An array counts if it is as long as the batch and something in it has a status; handlers also return
    arrays of answers that are about nothing of the kind. If one of another length tells of failures, nobody
    knows whose they are: that is an error, or events would be lost in silence.
    """
    if whole.kind is not Kind.OK or not isinstance(value, list):
        return [whole] * events
    told = [of_item(each) for each in value]
    if len(told) == events:
        return told
    if all(each.kind is Kind.OK for each in told):
        return [whole] * events
    what = f"onBatch returned {len(told)} statuses for {events} events, some of them of failures"
    return [Ending(Kind.BAD_REQUEST, what)] * events
