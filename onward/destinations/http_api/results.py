"""What an answer means: by its status, and by the results that it tells of each payload. Pure."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson

from onward.destinations.outcome import (
    DELIVERED,
    SNIPPET,
    Outcome,
    discarded,
    is_retryable,
    retry,
    retry_after,
)
from onward.egress.http import Response

SUCCESS = "200-299"
KINDS = ("status", "error")
GOOD_WORDS = frozenset({"ok", "success", "succeeded", "true", "created", "updated", "accepted", "delivered"})

Statuses = tuple[range, ...]
EACH = None
Step = str | int | None
"""A member's name, a place in a list, or `EACH` for all of a list."""

_RANGE = re.compile(r"([1-5][0-9]{2})(?:\s*-\s*([1-5][0-9]{2}))?")
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\*|[0-9]{1,6})\]")


@lru_cache(maxsize=256)
def statuses(text: str) -> Statuses:
    """From a text such as `200-299, 304`. Raises ValueError."""
    found = []
    for part in filter(None, (each.strip() for each in text.split(","))):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r:.50} is neither a status nor a range of them, such as 404 or 200-299")
        found.append(range(int(match[1]), int(match[2] or match[1]) + 1))
    return tuple(found)


@lru_cache(maxsize=256)
def path(text: str) -> tuple[Step, ...]:
    """From a text such as `results[*].status`. Raises ValueError."""
    steps: list[Step] = []
    end = 0
    while end < len(text):
        match = _STEP.match(text, end)
        if match is None:
            raise ValueError(f"results_path is {text!r:.100}, not a path such as results[*].status")
        steps.append(match[1] or (EACH if match[2] == "*" else int(match[2])))
        end = match.end()
    if sum(step is EACH for step in steps) > 1:
        raise ValueError("results_path may go through one list only ([*])")
    return tuple(steps)


def by_status(status: int, message: str, success: Statuses, again: Statuses, after: float | None) -> Outcome:
    """`again`: statuses that are worth another try; the usual ones (spec §11.3) if empty."""
    if any(status in each for each in success):
        return DELIVERED
    if any(status in each for each in again) if again else is_retryable(status):
        return retry(str(status), message, after)
    return discarded(str(status), message)


def of_response(response: Response, success: Statuses, again: Statuses, now: float) -> Outcome:
    message = response.body[:SNIPPET].decode("utf-8", "replace")
    after = retry_after(response.headers.get("retry-after"), now)
    return by_status(response.status, message, success, again, after)


def of_items(
    body: bytes, steps: Sequence[Step], kind: str, count: int, success: Statuses, again: Statuses
) -> list[Outcome] | Outcome:
    """The outcome of each of `count` payloads of a request that was successful as a whole.

    If there is nothing at the path, the status has said all. If there is something else than `count`
    results, nobody can say what became of which: all are discarded, so that it is noticed.
    """
    try:
        answer = orjson.loads(body) if body.strip() else None
    except orjson.JSONDecodeError:
        return discarded("MESSAGE_REJECTED", "the answer is not JSON, and so tells no result of each event")
    at = steps.index(EACH) if EACH in steps else len(steps)
    found = _walk(answer, steps[:at])
    if found is None:
        return DELIVERED
    if not isinstance(found, list) or len(found) != count:
        told = f"{len(found)} results" if isinstance(found, list) else "something else than a list"
        return discarded("MESSAGE_REJECTED", f"the answer tells {told} for {count} events at results_path")
    told_of = [_walk(each, steps[at + 1 :]) for each in found]
    judge = _by_error if kind == "error" else _by_result
    return [judge(value, success, again) for value in told_of]


def _walk(value: Any, steps: Sequence[Step]) -> Any:
    """What is at the path; None if there is nothing."""
    for step in steps:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        elif step is not None:
            value = value[step] if isinstance(value, list) and step < len(value) else None
    return value


def _by_error(value: Any, success: Statuses, again: Statuses) -> Outcome:
    return discarded("MESSAGE_REJECTED", _told(value)) if value else DELIVERED


def _by_result(value: Any, success: Statuses, again: Statuses) -> Outcome:
    if isinstance(value, bool):
        return DELIVERED if value else discarded("MESSAGE_REJECTED", "its result is false")
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value.strip()[:9])
    if isinstance(value, int) and 100 <= value <= 599:
        return by_status(value, f"its result is {value}", success, again, None)
    if isinstance(value, str) and value.strip().lower() in GOOD_WORDS:
        return DELIVERED
    return discarded("MESSAGE_REJECTED", f"its result is {_told(value)}")


def _told(value: Any) -> str:
    return (value if isinstance(value, str) else orjson.dumps(value).decode())[:SNIPPET]
