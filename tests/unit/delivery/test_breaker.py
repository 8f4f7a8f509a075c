"""The breaker opens on failures in a row only, probes one at a time, and closes on any sign of life."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from onward.delivery.breaker import FAILURES, LAST_PROBE, Breaker


def test_it_opens_after_failures_in_a_row_and_says_so_once():
    breaker = Breaker(Random(1))
    opened = [breaker.failed(float(second)) for second in range(FAILURES + 5)]
    assert opened == [False] * (FAILURES - 1) + [True] + [False] * 5
    assert breaker.opened_at == FAILURES - 1


@given(st.lists(st.booleans(), max_size=200))
def test_it_is_open_exactly_when_the_last_answers_all_failed(answers):
    breaker, streak = Breaker(Random(1)), 0
    for now, ok in enumerate(answers):
        if ok:
            breaker.succeeded()
        else:
            breaker.failed(float(now))
        streak = 0 if ok else streak + 1
        assert breaker.open == (streak >= FAILURES)


def test_probes_come_one_at_a_time_and_further_and_further_apart():
    breaker = Breaker(Random(1))
    for _ in range(FAILURES):
        breaker.failed(0.0)
    now, gaps = 0.0, []
    for _ in range(12):
        assert not breaker.probe_is_due(breaker.probe_at - 0.01)
        gaps.append(breaker.probe_at - now)
        now = breaker.probe_at
        assert breaker.probe_is_due(now)
        breaker.begin_probe()
        assert not breaker.probe_is_due(now + 1_000)
        breaker.failed(now)
    assert gaps[0] <= 1.0
    assert LAST_PROBE * 0.75 <= gaps[-1] <= LAST_PROBE
    assert breaker.succeeded()
    assert not breaker.open


def test_a_retry_after_moves_the_probe():
    breaker = Breaker(Random(1))
    for _ in range(FAILURES):
        breaker.failed(100.0, retry_after=30.0)
    assert breaker.probe_at == 130.0


def test_it_starts_open_where_it_was_left_open():
    assert Breaker(Random(1), opened_at=5.0).probe_is_due(6.0)
