"""Requests that came to preview webhooks of source functions: real ones, to test code with (spec §10.9).

What comes there calls nothing and makes no events. State: the last few of each function, in memory, and gone
with the process.
"""

import itertools
from collections.abc import Sequence

import msgspec

from onward.functions.source import Request

OF_ONE = 10
"""Requests that are kept of a function."""
MOST = 16 << 20
"""Bytes of the bodies of all; the oldest go first."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    function_id: str
    received_at: int
    """Milliseconds since the epoch."""
    request: Request


class PreviewRequests:
    """For one event loop."""

    def __init__(self) -> None:
        self._kept: list[Kept] = []
        """Oldest first."""
        self._ids = itertools.count(1)

    def keep(self, function_id: str, request: Request, received_at: int) -> None:
        self._kept.append(
            Kept(id=next(self._ids), function_id=function_id, received_at=received_at, request=request)
        )
        own = [each for each in self._kept if each.function_id == function_id]
        for old in own[:-OF_ONE]:
            self._kept.remove(old)
        while sum(len(each.request.body) for each in self._kept) > MOST:
            del self._kept[0]

    def of(self, function_id: str) -> Sequence[Kept]:
        """Newest first."""
        return [each for each in reversed(self._kept) if each.function_id == function_id]
