"""What is written down of single messages: payloads that wait, were given up on, or were tried again.

What arrives at the first attempt leaves nothing behind but counts.
"""

from typing import Any

import msgspec


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One that failed and will be repeated, or that succeeded after others had failed."""

    message_id: str
    subscription_id: str
    at: int
    """Milliseconds since the epoch."""
    attempt: int
    """The first is 1."""
    outcome: str
    """`retry` or `delivered`."""
    code: str = ""
    message: str = ""
    due_at: float = 0.0
    """Of a retry: when the next attempt is due, in seconds since the epoch."""


class Sample(msgspec.Struct, kw_only=True):
    """A failure kept with what was sent and answered, one of few of its kind. Secrets are masked in it."""

    id: int = 0
    subscription_id: str
    outcome: str
    """`retry` or `discarded`."""
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


SAMPLES_KEPT = 10
"""Of one mapping, outcome and code, the newest."""


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
