"""Pauses a function that keeps timing out or running out of memory, so that it does not eat the machine.

Pure: times are seconds of a clock that is handed in. Five failures within a minute pause it for 30 s; each
pause that follows soon is twice as long, to ten minutes. What was to be handled meanwhile is retried.
"""

from collections import deque

FAILURES, WITHIN = 5, 60.0
FIRST, LONGEST = 30.0, 600.0


class Breaker:
    def __init__(self) -> None:
        self._failures: deque[float] = deque(maxlen=FAILURES)
        self._until = 0.0
        self._pause = 0.0

    def paused(self, now: float) -> float:
        """Seconds left, 0 for none."""
        return max(0.0, self._until - now)

    def failed(self, now: float) -> bool:
        """Whether it is paused for this."""
        self._failures.append(now)
        if len(self._failures) < FAILURES or now - self._failures[0] > WITHIN:
            return False
        soon = self._until > 0 and now - self._until < LONGEST
        self._pause = min(LONGEST, self._pause * 2) if soon else FIRST
        self._until = now + self._pause
        self._failures.clear()
        return True

    def forgotten(self, now: float) -> bool:
        """Whether nothing is left to remember."""
        return now - self._until > LONGEST and (not self._failures or now - self._failures[-1] > WITHIN)
