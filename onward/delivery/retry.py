"""When a failed delivery is tried again (spec §11.2, §22.12).

Up to `max_retries` (9) within `retry_window` (4 h) of the first attempt, with randomised exponential
backoff; a Retry-After is obeyed, also beyond the backoff. Pure: the clock and the luck are passed in.
"""

from onward.workspace.snapshot import DeliveryPolicy

GROWTH = 3.0
"""5 s, 15 s, 45 s, 135 s, 405 s, 20 min, 1 h, 1 h, 1 h: nine retries in the middle of the jitter take
about three hours, so that the last one falls inside the window."""


def next_attempt(
    policy: DeliveryPolicy,
    attempt: int,
    deadline: float,
    now: float,
    retry_after: float | None,
    luck: float,
) -> float | None:
    """The time (s since the epoch) of the attempt that follows the failed `attempt` (1 = the first).

    `luck`, from 0 to 1, is how much of the random part to wait. None when there is no such attempt: the
    retries are used up, or the backoff ends after `deadline`. A Retry-After that does only moves the attempt
    to the deadline: who asks for a day may be back sooner, and nothing is given up on without a try.
    """
    if attempt > policy.max_retries:
        return None
    step = min(policy.backoff_cap, policy.backoff_base * GROWTH ** (attempt - 1))
    due = now + step * (0.5 + luck / 2)
    if due > deadline:
        return None
    return due if retry_after is None else max(due, min(now + retry_after, deadline))
