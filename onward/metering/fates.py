"""What is written down of single messages: payloads that wait, were given up on, or were tried again.

What arrives at the first attempt leaves nothing behind but counts.
"""

from typing import Any

import msgspec


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One that failed and will be repeated, or that succeeded after others had failed; or the end that a
    function made of an event."""

    message_id: str
    subscription_id: str
    at: int
    """Milliseconds since the epoch."""
    attempt: int
    """The first is 1."""
    outcome: str
    """`retry`, `delivered` or `filtered`."""
    code: str = ""
    message: str = ""
    due_at: float = 0.0
    """Of a retry: when the next attempt is due, in seconds since the epoch."""


class Sample(msgspec.Struct, kw_only=True):
    """A failure kept with what was sent and answered, one of few of its kind. Secrets are masked in it."""

    id: int = 0
    subscription_id: str
    outcome: str
    """`retry`, `discarded` or `filtered`."""
    code: str
    at: int
    """Milliseconds since the epoch."""
    received_at: int
    message_id: str
    attempt: int
    message: str
    event: dict[str, Any]
    payload: dict[str, Any]
    exchanges: list[dict[str, Any]]
    """Requests and answers, in the shape of `onward.egress.record.Exchange`."""
    trace: Any = None
    """What a function's run left behind: logs, requests, the error."""
    people: list[tuple[str, int]] | None = None
    """Whose events were sent together, each with when the earliest was received (ms), for deletions to find;
    None if they were too many to be written down."""


SAMPLES_KEPT = 10
"""Of one mapping, outcome and code, the newest."""


class Redrive(msgspec.Struct, kw_only=True):
    """A request to send discards of a destination again: those up to one, as far as they match."""

    id: int = 0
    asked_at: int = 0
    """Milliseconds since the epoch."""
    code: str | None = None
    subscription_id: str | None = None
    message_id: str | None = None
    discard_id: int | None = None
    """One alone."""
    start: int = 0
    """Given up on at this time (ms) or later,"""
    end: int = 1 << 60
    """and before this one."""
    as_it_was: bool = False
    """Send the payload that was made then; else the event is routed and mapped anew."""
    last_id: int = 0
    """Later discards are none of its business."""
    reached: int = 0
    """The discard that it has come to."""
    done: int = 0
    """Events that were sent again: delivered, filtered, waiting, or given up on once more."""
    finished_at: int | None = None


class Waiting(msgspec.Struct, frozen=True):
    """Parked payloads alike in everything that they are told apart by."""

    subscription_id: str
    event_type: str
    event_name: str
    app_version: str
    code: str
    count: int


class Parked(msgspec.Struct, frozen=True):
    """One payload that waits for its next attempt."""

    destination_id: str
    subscription_id: str
    received_at: int
    attempt: int
    """Attempts made so far."""
    due_at: float
    deadline: float
    code: str
    message: str


class GivenUp(msgspec.Struct, frozen=True):
    id: int
    destination_id: str
    subscription_id: str
    received_at: int
    at: int
    attempts: int
    code: str
    message: str


class Fates(msgspec.Struct, frozen=True):
    """All that is written down of one message."""

    parked: list[Parked]
    discarded: list[GivenUp]
    attempts: list[tuple[str, Attempt]]
    """With their destinations."""
