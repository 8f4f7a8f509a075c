"""What was found out a moment ago, and need not be found out again.

State: in memory, for one event loop. If the process dies, it is found out once more.
"""

import time
from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")

FRESH = 60.0
"""Seconds for which it will do."""
KEPT = 50


class Recently(Generic[T]):
    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, tuple[float, T]] = OrderedDict()

    def find(self, key: bytes) -> T | None:
        kept_at, value = self._kept.get(key, (0.0, None))
        return value if time.monotonic() - kept_at < FRESH else None

    def keep(self, key: bytes, value: T) -> None:
        self._kept[key] = (time.monotonic(), value)
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
