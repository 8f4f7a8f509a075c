"""Sign-in attempts are slowed down: by account, against guessing one password, and by address.

Kept in memory: a restart forgets it, and costs a guesser more time than it gives. Bounded: the oldest go.
"""

from collections import OrderedDict
from collections.abc import Callable

FREE = 5
"""Failures in a row that cost nothing."""
FIRST, LONGEST = 1.0, 900.0
"""Seconds that the next attempt has to wait: doubled with each failure."""
MOST = 10_000


class Throttle:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()
        """Key → failures in a row, and when the last was."""

    def wait(self, *keys: str) -> float:
        """Seconds until an attempt may be made; 0 if at once."""
        return max((self._wait(key) for key in keys), default=0.0)

    def failed(self, *keys: str) -> None:
        for key in keys:
            count, _ = self._failures.pop(key, (0, 0.0))
            self._failures[key] = (count + 1, self._clock())
            while len(self._failures) > MOST:
                self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        self._failures.pop(key, None)

    def _wait(self, key: str) -> float:
        count, last = self._failures.get(key, (0, 0.0))
        if count < FREE:
            return 0.0
        pause = min(LONGEST, FIRST * 2.0 ** (count - FREE))
        return max(0.0, last + pause - self._clock())
