"""A destination's rate limit: a bucket of one second's requests. Pure: the clock is passed in.

A clock that is set back costs the tokens of the time in between, and no more.
"""


class RateLimiter:
    def __init__(self, per_second: float | None) -> None:
        self._rate = per_second
        self._capacity = max(1.0, per_second or 1.0)
        self._tokens = self._capacity
        self._at = 0.0

    def take(self, now: float) -> float:
        """Take one request's token; seconds to wait before it may be sent (0 for at once)."""
        if self._rate is None:
            return 0.0
        self._tokens = min(self._capacity, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = now
        self._tokens -= 1.0
        return 0.0 if self._tokens >= 0.0 else -self._tokens / self._rate
