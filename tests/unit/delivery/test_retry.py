"""Retries: never more than 9, never after the window, and within it never before a Retry-After."""

import itertools
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from onward.delivery.retry import next_attempt
from onward.workspace.snapshot import DeliveryPolicy

POLICY = DeliveryPolicy()


@given(st.integers(1, 20), st.floats(0, 2e9), st.one_of(st.none(), st.floats(0, 1e6)), st.floats(0, 1))
def test_the_next_attempt_is_inside_the_window_and_after_retry_after(attempt, now, retry_after, luck):
    deadline = now + POLICY.retry_window
    due = next_attempt(POLICY, attempt, deadline, now, retry_after, luck)
    if attempt > POLICY.max_retries:
        assert due is None
    if due is not None:
        assert now < due <= deadline
        assert due >= min(now + (retry_after or 0), deadline)


@given(st.integers())
def test_nine_retries_fit_in_four_hours(seed):
    dice, now = Random(seed), 1_000_000.0
    deadline, attempts = now + POLICY.retry_window, 1
    while (due := next_attempt(POLICY, attempts, deadline, now, None, dice.random())) is not None:
        now, attempts = due, attempts + 1
    assert attempts == 10 or deadline - now < 3600
    assert attempts >= 9


def test_waits_grow_and_are_randomised():
    waits = [
        {next_attempt(POLICY, attempt, 1e9, 0.0, None, Random(seed).random()) for seed in range(50)}
        for attempt in range(1, 7)
    ]
    for sooner, later in itertools.pairwise(waits):
        assert len(sooner) > 40
        assert max(sooner) < min(later)


def test_a_retry_after_beyond_the_window_is_tried_at_its_end():
    assert next_attempt(POLICY, 1, 14_400.0, 0.0, 86_400.0, 0.5) == 14_400.0
    assert next_attempt(POLICY, 2, 14_400.0, 14_400.0, 86_400.0, 0.5) is None
