import msgspec
from hypothesis import given
from hypothesis import strategies as st

from onward.tracking.ratelimit import RateLimit

from .door import SITE


@given(st.floats(0.1, 50), st.lists(st.floats(0, 2), max_size=60))
def test_never_more_than_the_rate_and_a_burst(rate: float, gaps: list[float]) -> None:
    source = msgspec.structs.replace(SITE, rate_limit=rate)
    now, passed = 0.0, 0
    limit = RateLimit(lambda: now)
    for gap in gaps:
        now += gap
        wait = limit.wait(source)
        passed += wait == 0
        assert passed <= max(1.0, rate) + now * rate + 1e-6
        if wait:
            later, now = now, now + wait
            assert RateLimit.wait(limit, source) == 0  # the promise of Retry-After holds
            passed += 1
            assert later < now


def test_no_limit_is_no_limit() -> None:
    limit = RateLimit(lambda: 0.0)
    assert not any(limit.wait(SITE) for _ in range(1000))
