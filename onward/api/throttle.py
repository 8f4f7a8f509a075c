"""Sign-in attempts are slowed down: by account, against guessing one password, and by address.

Attempts that are made at once count too, before it is known how they end: else a thousand guesses could be
made while the first is looked at. Kept in memory: a restart forgets it, and costs a guesser more time than it
gives. Bounded: the oldest go.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

FREE = 5
"""Failures in a row that cost nothing."""
FIRST, LONGEST = 1.0, 900.0
"""Seconds that the next attempt has to wait: doubled with each failure."""
FORGOTTEN = 3600.0
"""Seconds after which failures are forgotten, or an address that many share would wait for all that ever went
wrong there. To wait for it gives a guesser hardly more attempts than `LONGEST` does."""
MOST = 10_000


class TooSoon(Exception):
    """An attempt has to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.0f} s")
        self.seconds = seconds


@dataclass
class Attempt:
    right: bool | None = None
    """Whether the password was; None counts for nothing."""


class Throttle:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()
        """Key → failures in a row, and when the last was."""
        self._under_way: Counter[str] = Counter()
        self._lock = Lock()

    @contextmanager
    def attempt(self, account: str, *others: str) -> Iterator[Attempt]:
        """One look at an account's password, whose end is to be told. Raises `TooSoon`."""
        keys = (account, *others)
        with self._lock:
            if wait := self.wait(*keys):
                raise TooSoon(wait)
            self._under_way.update(keys)
        made = Attempt()
        try:
            yield made
        finally:
            with self._lock:
                self._under_way -= Counter(keys)
                if made.right:
                    self._failures.pop(account, None)
                elif made.right is False:
                    self._failed(keys)

    def wait(self, *keys: str) -> float:
        """Seconds until an attempt may be made; 0 if at once."""
        return max((self._wait(key) for key in keys), default=0.0)

    def _failed(self, keys: tuple[str, ...]) -> None:
        for key in keys:
            count, _ = self._remembered(key)
            self._failures.pop(key, None)
            self._failures[key] = (count + 1, self._clock())
            while len(self._failures) > MOST:
                self._failures.popitem(last=False)

    def _wait(self, key: str) -> float:
        count, last = self._remembered(key)
        under_way = self._under_way[key]
        if count + under_way < FREE:
            return 0.0
        if under_way:  # from here on one after the other
            return FIRST
        pause = min(LONGEST, FIRST * 2.0 ** (count - FREE))
        return max(0.0, last + pause - self._clock())

    def _remembered(self, key: str) -> tuple[int, float]:
        count, last = self._failures.get(key, (0, 0.0))
        return (0, 0.0) if self._clock() - last > FORGOTTEN else (count, last)
