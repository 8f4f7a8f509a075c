"""What a template sees while it runs: the data, its own variables, and how much it may still do."""

import math
from collections.abc import Sequence
from typing import Any

from onward.pipeline.javascript import UNDEFINED
from onward.pipeline.javascript_dates import parse_date
from onward.pipeline.liquid.values import read

MAX_WORK = 1_000_000
"""What one run may read and make in all, in characters of text; see `ITEM` for lists and objects.

There are no loops, so a template of 1,000 characters has a few hundred operations at most. Each is charged,
before it runs, for all that it will read (a value that is part of several lists counts in each), and for
what it makes where that may be more; a charge stands for half a microsecond and for a hundred bytes at most,
so that a run stays within the documented 500 ms and 100 MB.
"""


ITEM = 8
"""What a member or an item costs besides its text: as text, a number may have twenty characters."""


class LiquidError(ValueError):
    """A template that can't be read, or that failed on the data."""


class Scope:
    """Names are looked for among the template's variables, then its counters, then the data.

    `event` in front of a path also means the data itself: the documentation's examples say
    `event.properties.email`, the engine wants `properties.email`, and both work (spec §22.14). Where the
    data has a member `event` (the name of a track call), `{{ event }}` is that.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.variables: dict[str, Any] = {}
        self.counters: dict[str, float] = {}
        self.left = MAX_WORK

    def spend(self, amount: int) -> None:
        """Account for work, before doing it where it may be much."""
        self.left -= amount
        if self.left < 0:
            raise LiquidError("the template does too much work or makes too much text")

    def charge(self, value: Any, cost: int = 1) -> None:
        """Account for reading a value whole, at a cost for each character, member and item."""
        pending = [value]
        while pending:
            each = pending.pop()
            if type(each) is str:
                self.spend(cost * (len(each) + 1))
            elif type(each) is list:
                self.spend(cost * (ITEM * len(each) + 1))
                pending += each
            elif type(each) is dict:
                self.spend(cost * (sum(map(len, each)) + ITEM * len(each) + 1))
                pending += each.values()

    def now(self) -> float:
        """When the event was received, in milliseconds since the epoch; LiquidError if it doesn't say."""
        for key in ("receivedAt", "timestamp"):
            value = self.data.get(key)
            time = parse_date(value) if type(value) is str else math.nan
            if time == time:
                return time
        raise LiquidError("'now' is the event's receivedAt or timestamp, and this data has neither")

    def find(self, name: str) -> Any:
        for names in (self.variables, self.counters, self.data):
            if name in names:
                return names[name]
        return 0 if name == "size" else UNDEFINED

    def resolve(self, path: Sequence[Any]) -> Any:
        """The value at a path of at least one key."""
        value = self.find(path[0])
        if path[0] == "event" and len(path) > 1 and type(value) is not dict and path[1] not in OF_TEXT:
            value = self.data
        for key in path[1:]:
            value = read(value, key)
        return value


OF_TEXT = ("size", "length", "first", "last")
