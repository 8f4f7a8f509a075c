"""What AWS says when it says no, as outcomes. Pure.

A throttled or failed service is retried whatever status it answers with: Kinesis throttles with a 400. What
it says of us (no access, no such stream, not valid) is final, with its own words as the message.
"""

import html
import re
from typing import Any

import msgspec

from onward.destinations.outcome import Outcome, discarded, from_response, retry, retry_after
from onward.egress.http import Response

THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "KMSThrottlingException",
        "KmsThrottled",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html, and the services' own."""
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"})
"""Temporary credentials that ran out; the next attempt gets new ones."""
FAILED = EXPIRED | {
    "ConcurrentModificationException",
    "IDPCommunicationError",
    "IDPCommunicationErrorException",
    "InternalError",
    "InternalException",
    "InternalFailure",
    "InternalFailureException",
    "InternalServerError",
    "InternalServiceError",
    "KMSDisabledException",
    "OperationAborted",
    "RequestTimeTooSkewed",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceFailure",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "TemporaryRedirect",
    "TransactionInProgressException",
}
"""The service's trouble, or this machine's clock's; it passes."""

_STATUSES = {
    "403": re.compile(
        r"Access|NotAuthorized|InvalidSecurity|OptIn|Signature|InvalidClientToken|Unrecognized"
    ),
    "404": re.compile(r"NotFound|NoSuch|NonExistent|DoesNotExist"),
    "409": re.compile(r"InUse|InvalidState"),
}
_LONGEST = 1000


class AwsError(Exception):
    """A request that has failed: what becomes of the payloads in it, and AWS's code for it if it has one."""

    def __init__(self, outcome: Outcome, code: str = "") -> None:
        super().__init__(outcome.message)
        self.outcome = outcome
        self.code = code


def from_answer(response: Response, now: float) -> AwsError:
    """Of an answer that is not 2xx."""
    code, message = _parsed(response)
    if not code:
        outcome = from_response(response, now)
        region = response.headers.get("x-amz-bucket-region")
        if response.status == 301 and region:
            outcome = discarded("301", f"the bucket is in {region}; set the region to that")
        return AwsError(outcome)
    outcome = of_code(code, message, str(response.status))
    if outcome.kind == "retry":
        after = retry_after(response.headers.get("retry-after"), now)
        outcome = retry(outcome.code, outcome.message, after)
    return AwsError(outcome, code)


def of_code(code: str, message: str, status: str = "") -> Outcome:
    """`status` is empty for one item of a batch, which has none of its own."""
    text = f"{code}: {_shown(message)}" if message else code
    if code in THROTTLED:
        return retry("429", text)
    if code in FAILED or status in ("408", "423", "429") or (status >= "500" and status != "501"):
        return retry(status if status >= "500" else "503", text)
    return discarded(status or next((s for s, p in _STATUSES.items() if p.search(code)), "400"), text)


def _parsed(response: Response) -> tuple[str, str]:
    """Code and message, from either of AWS's kinds of error body; empty where there are none."""
    body = response.body
    if body.lstrip()[:1] == b"<":
        text = body.decode("utf-8", "replace")
        return element(text, "Code"), element(text, "Message")
    named = response.headers.get("x-amzn-errortype", "")
    try:
        found: Any = msgspec.json.decode(body) if body else {}
    except msgspec.DecodeError:
        found = {}
    if not isinstance(found, dict):
        found = {}
    code = str(named or found.get("__type") or found.get("code") or "")
    message = found.get("message") or found.get("Message") or ""
    return code.partition(":")[0].rpartition("#")[2].removeprefix("AWS.SimpleQueueService."), str(message)


def element(text: str, name: str) -> str:
    """The text of the first XML element of that name; empty if there is none."""
    found = re.search(rf"<{name}>([^<]*)</{name}>", text)
    return html.unescape(found[1]).strip() if found else ""


def _shown(message: str) -> str:
    """Its first line: where a signature is refused, the others repeat the request with its session token."""
    return message.strip().partition("\n")[0][:_LONGEST]
