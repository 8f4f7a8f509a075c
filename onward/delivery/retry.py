"""When a failed delivery is tried again (spec §11.2, §22.12).

Up to `max_retries` (9) within `retry_window` (4 h) of the first attempt, with randomised exponential
backoff; a Retry-After is obeyed, also beyond the backoff. Pure: the clock and the dice are passed in.
"""

from random import Random

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
    dice: Random,
) -> float | None:
    """The time (s since the epoch) of the attempt that follows the failed `attempt` (1 = the first).

    None when there is none: the retries are used up, or the next would fall after `deadline`.
    """
    if attempt > policy.max_retries:
        return None
    step = min(policy.backoff_cap, policy.backoff_base * GROWTH ** (attempt - 1))
    due = now + step * dice.uniform(0.5, 1.0)
    if retry_after is not None:
        due = max(due, now + retry_after)
    return due if due <= deadline else None
