"""What became of one payload: a value, never an exception that crosses the engine.

Classification of statuses is spec §11.3 and §22.32: 408, 423, 429 and every 5xx but 501 are retried,
as are the network errors of `EgressError.RETRYABLE`; all else is final.
"""

from datetime import UTC
from email.utils import parsedate_to_datetime
from math import isfinite, nan
from typing import Any, Literal, Protocol

import msgspec

from onward.egress.http import EgressError, Response
from onward.egress.record import Exchange

SNIPPET = 2_000
"""Characters of a response that a failure keeps for inspection."""


class Trace(Protocol):
    """What code of a user's left behind; made when it is wanted, in a thread, secrets masked."""

    def exchanges(self) -> list[Exchange]: ...
    def shown(self) -> dict[str, Any]: ...


class Outcome(msgspec.Struct, frozen=True):
    kind: Literal["delivered", "retry", "discarded", "filtered", "waits"]
    """`filtered`: code of a user's let it go no further. `waits`: nothing was attempted; what else is for
    the destination waits with it, until `retry_after`."""
    code: str = ""
    """Spec §12.4: a status such as `503`, an errno name, or `MESSAGE_REJECTED` and its kin."""
    message: str = ""
    retry_after: float | None = None
    """Seconds that the destination asked to be left alone for."""
    trace: Trace | None = None


DELIVERED = Outcome("delivered")


def discarded(code: str, message: str, trace: Trace | None = None) -> Outcome:
    return Outcome("discarded", code, message, None, trace)


def retry(code: str, message: str, after: float | None = None, trace: Trace | None = None) -> Outcome:
    return Outcome("retry", code, message, after, trace)


def filtered(code: str, message: str, trace: Trace | None = None) -> Outcome:
    return Outcome("filtered", code, message, None, trace)


def waits(code: str, message: str, after: float | None = None) -> Outcome:
    return Outcome("waits", code, message, after)


def is_retryable(status: int) -> bool:
    return status in (408, 423, 429) or (status >= 500 and status != 501)


def from_response(response: Response, now: float) -> Outcome:
    """`now` is the clock in seconds since the epoch, for a Retry-After that is a date."""
    if 200 <= response.status < 300:
        return DELIVERED
    message = response.body[:SNIPPET].decode("utf-8", "replace")
    if is_retryable(response.status):
        return retry(str(response.status), message, retry_after(response.headers.get("retry-after"), now))
    return discarded(str(response.status), message)


def from_error(error: EgressError) -> Outcome:
    return retry(error.code, error.message) if error.retryable else discarded(error.code, error.message)


def retry_after(header: str | None, now: float) -> float | None:
    """Seconds from a Retry-After header (RFC 9110 §10.2.3: a number or a date); None if there is none."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        seconds = _until(header, now)
    return max(0.0, seconds) if isfinite(seconds) else None


def _until(header: str, now: float) -> float:
    """Seconds to a date; NaN if it is none."""
    try:
        date = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return nan
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now
