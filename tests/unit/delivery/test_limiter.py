"""The rate limit holds over any span, and does not delay what is below it."""

from hypothesis import given
from hypothesis import strategies as st

from onward.delivery.limiter import RateLimiter


@given(st.floats(0.5, 500), st.lists(st.floats(0, 0.5), min_size=1, max_size=300))
def test_no_more_than_the_rate_and_one_burst(rate, gaps):
    limiter, now, sent = RateLimiter(rate), 1000.0, []
    for gap in gaps:
        now += gap
        sent.append(now + limiter.take(now))
    span = sent[-1] - sent[0]
    assert len(sent) <= rate * span + max(1.0, rate) + 1.001


def test_no_limit_never_waits():
    limiter = RateLimiter(None)
    assert [limiter.take(0.0) for _ in range(1000)] == [0.0] * 1000
