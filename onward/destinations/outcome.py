"""What became of one payload: a value, never an exception that crosses the engine.

Classification of statuses is spec §11.3 and §22.32: 408, 423, 429 and every 5xx but 501 are retried,
as are the network errors of `EgressError.RETRYABLE`; all else is final.
"""

from datetime import UTC
from email.utils import parsedate_to_datetime
from math import isfinite, nan
from typing import Literal

import msgspec

from onward.egress.http import EgressError, Response

SNIPPET = 2_000
"""Characters of a response that a failure keeps for inspection."""


class Outcome(msgspec.Struct, frozen=True):
    kind: Literal["delivered", "retry", "discarded"]
    code: str = ""
    """Spec §12.4: a status such as `503`, an errno name, or `MESSAGE_REJECTED` and its kin."""
    message: str = ""
    retry_after: float | None = None
    """Seconds that the destination asked to be left alone for."""


DELIVERED = Outcome("delivered")


def discarded(code: str, message: str) -> Outcome:
    return Outcome("discarded", code, message)


def retry(code: str, message: str, after: float | None = None) -> Outcome:
    return Outcome("retry", code, message, after)


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
