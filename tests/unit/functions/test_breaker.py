"""Pauses of functions that keep failing."""

from onward.functions.breaker import FAILURES, FIRST, LONGEST, WITHIN, Breaker


def fail(breaker: Breaker, start: float, times: int = FAILURES) -> float:
    now = start
    for _ in range(times):
        now += 1
        breaker.failed(now)
    return now


def test_five_failures_within_a_minute_pause_it() -> None:
    breaker = Breaker()
    now = fail(breaker, 100.0, FAILURES - 1)
    assert breaker.paused(now) == 0
    assert breaker.failed(now + 1)
    assert breaker.paused(now + 1) == FIRST
    assert breaker.paused(now + 1 + FIRST) == 0


def test_failures_that_are_far_apart_do_not() -> None:
    breaker = Breaker()
    assert not any(breaker.failed(n * WITHIN) for n in range(20))


def test_pauses_double_and_are_bounded_and_are_forgotten() -> None:
    breaker = Breaker()
    now, pauses = 0.0, []
    for _ in range(8):
        now = fail(breaker, now)
        pauses.append(breaker.paused(now))
        now += pauses[-1]
    assert pauses == [30, 60, 120, 240, 480, 600, 600, 600]
    assert not breaker.forgotten(now)
    now += LONGEST + WITHIN
    assert breaker.forgotten(now)
    now = fail(breaker, now)
    assert breaker.paused(now) == FIRST
