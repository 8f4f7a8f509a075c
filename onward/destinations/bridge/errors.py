"""What an action's failure means: JavaScript errors and per-item nodes → outcomes. Pure.

The rules are those of actions-core's callers (actions-catalogue §7) and spec §11.3:

- what the action finds wrong with a payload is final: `MESSAGE_REJECTED`, with the tool's own code in the
  message, as where Onward's own validation refuses it;
- a status says what it always says (`outcome.is_retryable`), whether a tool gave it or the action did;
- what the way out refused or failed at keeps its own code;
- any other error is a fault of code that met something it did not expect: if a tool's answer took part, a
  later one may be readable (actions-core counts it as a 500); if none did, it would be the same again.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from onward.destinations.outcome import (
    DELIVERED,
    SNIPPET,
    Outcome,
    discarded,
    is_retryable,
    retry,
    retry_after,
)
from onward.egress.http import EgressError
from onward.pipeline.route import REJECTED

INTERNAL = "INTERNAL"
_INVALID = frozenset({"AggregateAjvError", "ValidationError", "PayloadValidationError"})
_INVALID_CODES = frozenset({"PAYLOAD_VALIDATION_FAILED", "INVALID_AUDIENCE_MEMBERSHIP"})
_TIMEOUTS = frozenset({"ETIMEDOUT", "REQUESTTIMEOUTERROR", "REQUESTCLIENTERROR", "SELF_TIMEOUT"})


class Failure(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An error that JavaScript threw (`worker/failure.cjs`)."""

    name: str = "Error"
    kinds: tuple[str, ...] = ()
    """Its class and those that it inherits from."""
    message: str = ""
    code: str | None = None
    status: int | None = None
    body: str | None = None
    """Of the tool's answer, if the error came of one."""
    retry_after: str | None = None
    egress: bool = False
    """Whether the code is one of `EgressError`."""


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one payload, if it was not delivered."""

    status: int | None = None
    type: str | None = None
    message: str | None = None
    error: Failure | None = None


class BridgeError(Exception):
    """A call came to nothing; the message says why."""


class ActionFailed(BridgeError):
    """JavaScript threw; `failure` says what."""

    def __init__(self, failure: Failure, answered: bool, after: str | None) -> None:
        """`answered`: whether a tool has answered anything; `after`: the last Retry-After that one gave."""
        super().__init__(describe(failure))
        self.failure = failure
        self.answered = answered
        self.after = after


class CallTimedOut(BridgeError):
    """It took longer than it may."""


class WorkerLost(BridgeError):
    """The process ended before the call did. `own_doing`: it was not killed from outside."""

    def __init__(self, reason: str, own_doing: bool) -> None:
        super().__init__(reason)
        self.own_doing = own_doing


class Poison(BridgeError):
    """The call ends the process that it runs in, again and again, when nothing else runs there."""


def of_failure(failure: Failure, now: float, *, answered: bool = False, after: str | None = None) -> Outcome:
    code, status = failure.code or "", failure.status
    message = describe(failure)
    if failure.egress:
        return retry(code, message) if code in EgressError.RETRYABLE else discarded(code, message)
    if code in _TIMEOUTS or failure.name == "TimeoutError":
        return retry("ETIMEDOUT", message)
    if code in _INVALID_CODES or not _INVALID.isdisjoint((failure.name, *failure.kinds)):
        return discarded(REJECTED, message)
    if status is not None and status >= 300:
        return _of_status(status, message, failure.retry_after or after, now)
    return retry(INTERNAL, message) if answered else discarded(INTERNAL, message)


def of_error(error: BridgeError, now: float) -> Outcome:
    """Raises `Poison` as it came, for the engine to find the payload that does it."""
    if isinstance(error, ActionFailed):
        return of_failure(error.failure, now, answered=error.answered, after=error.after)
    if isinstance(error, Poison):
        raise error
    return retry("ETIMEDOUT" if isinstance(error, CallTimedOut) else "ECONNRESET", str(error))


def of_node(node: Node | None, now: float, *, answered: bool = False, after: str | None = None) -> Outcome:
    if node is None:
        return DELIVERED
    if node.error is not None:
        return of_failure(node.error, now, answered=answered, after=after)
    message = (f"{node.type}: {node.message}" if node.type else node.message or "")[:SNIPPET]
    if node.type in _INVALID_CODES and node.status in (None, 400):
        return discarded(REJECTED, message)
    return _of_status(node.status or 500, message, after, now)


def of_nodes(
    nodes: Sequence[Node | None], now: float, *, answered: bool = False, after: str | None = None
) -> Outcome | list[Outcome]:
    """One node alone speaks for all payloads."""
    outcomes = [of_node(node, now, answered=answered, after=after) for node in nodes]
    return outcomes[0] if len(outcomes) == 1 else outcomes


def _of_status(status: int, message: str, after: str | None, now: float) -> Outcome:
    if status < 300:  # the tool said OK, and the action none the less that this event failed
        return discarded(REJECTED, message)
    if is_retryable(status):
        return retry(str(status), message, retry_after(after, now))
    return discarded(str(status), message)


def describe(failure: Failure) -> str:
    """In one line: the tool's or the action's own code, and what it says."""
    said = failure.body or failure.message
    if failure.body and failure.message and failure.message not in failure.body:
        said = f"{failure.message}: {failure.body}"
    label = failure.code if failure.code and failure.code != str(failure.status) else ""
    if not label and failure.status is None:
        label = failure.name
    return (f"{label}: {said}" if label else said)[:SNIPPET]


def is_unauthorized(failure: Failure) -> bool:
    """Also as `testAuthentication` of actions-core words it, which drops the status."""
    return failure.status == 401 or failure.message.startswith("Credentials are invalid: 401")


def read_nodes(result: Any) -> list[Node | None]:
    """Raises `msgspec.ValidationError`."""
    return msgspec.convert(result, list[Node | None])
