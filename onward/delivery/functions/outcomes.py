"""What an invocation is to the books: the table of spec §10.3, with the codes of §12.4. Pure.

A destination that is a function fails as destinations do. What an insert function stops was filtered at its
destination, under the codes in lower case; it is retried for the same reasons.
"""

from typing import Any

from onward.destinations.outcome import DELIVERED, Outcome, Trace, discarded, filtered, retry, waits
from onward.egress.masking import Masking
from onward.functions.errors import CODES, Ending, Kind
from onward.functions.trial import HANDLERS

DELIVERY_CODES = {
    Kind.BAD_REQUEST: "BAD_REQUEST",
    Kind.INVALID_SETTINGS: "INVALID_SETTINGS",
    Kind.MESSAGE_REJECTED: "MESSAGE_REJECTED",
    Kind.UNSUPPORTED_EVENT_TYPE: "UNSUPPORTED_EVENT_TYPE",
    Kind.RETRY: "RETRY",
    Kind.TIMEOUT: "ETIMEDOUT",
    Kind.DROPPED: "FILTERED_AT_FUNCTION",
}
INSERT_CODES = CODES | {Kind.DROPPED: "FILTERED_AT_INSERT_FUNCTION"}
TOO_MANY = "429"
LOCKED_OUT = filtered("FUNCTIONS_LOCK_OUT", "the functions have used up what they may use this month")


NO_SECRETS = Masking(())


def of_ending(ending: Ending, masking: Masking = NO_SECRETS, trace: Trace | None = None) -> Outcome:
    """For a destination that is a function. `masking` hides its secrets in the message, which is kept and
    shown: errors of requests tell addresses, with what stands in them."""
    kind = ending.kind
    if kind is Kind.OK:
        return DELIVERED
    message = masking.text(ending.message)
    if kind is Kind.TOO_MANY_REQUESTS:
        return waits(TOO_MANY, message, ending.retry_after)
    code = DELIVERY_CODES[kind]
    if kind is Kind.DROPPED:
        return filtered(code, message, trace)
    if ending.action == "retry":
        return retry(code, message, ending.retry_after, trace)
    return discarded(code, message, trace)


def of_insertion(ending: Ending, masking: Masking = NO_SECRETS, trace: Trace | None = None) -> Outcome:
    """The same for an insert function that let no event through."""
    kind, message = ending.kind, masking.text(ending.message)
    if kind is Kind.TOO_MANY_REQUESTS:
        return waits(INSERT_CODES[kind], message, ending.retry_after)
    if ending.action == "retry":
        return retry(INSERT_CODES[kind], message, ending.retry_after, trace)
    return filtered(INSERT_CODES[kind], message, None if kind is Kind.DROPPED else trace)


def unsupported(event: Any) -> Ending:
    """Of an event whose handler the function does not have."""
    handler = handler_of(event)
    return Ending(Kind.UNSUPPORTED_EVENT_TYPE, f"the function has no {handler}")


def handler_of(event: Any) -> str:
    return HANDLERS.get(event.get("type"), "handler for its type")
