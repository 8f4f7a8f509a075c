"""Requests a second per source, by token bucket (spec §3.3). Off unless the source says otherwise.

Buckets live in this process's memory: a restart forgives, which is harmless.
"""

from collections.abc import Callable
from math import ceil

from onward.workspace.snapshot import Source


class RateLimit:
    """A bucket holds one second's worth of requests, and at least one."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}  # source → (tokens, when that was)

    def wait(self, source: Source) -> int:
        """0 if a request may pass now (and is counted), else the whole seconds until the next may."""
        rate = source.rate_limit
        if rate is None:
            return 0
        now = self._clock()
        burst = max(1.0, rate)
        tokens, since = self._buckets.get(source.id, (burst, now))
        tokens = min(burst, tokens + (now - since) * rate)
        if tokens > 1 - 1e-6:  # seconds are floats, and who waits as told must pass
            self._buckets[source.id] = (max(0.0, tokens - 1), now)
            return 0
        self._buckets[source.id] = (tokens, now)
        return max(1, ceil((1 - tokens) / rate)) if rate > 0 else 60
