"""One overall time limit for many requests' bodies, at the price of a dictionary entry each.

`asyncio.timeout` costs a timer and two microseconds a request, a tenth of what the whole request may
cost. Here one sweep a second looks who is overdue, and cancels them: a limit is exact to a second.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

T = TypeVar("T")


class Deadlines:
    """Call `sweep` about once a second from the same event loop."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._began: dict[asyncio.Task[Any], float] = {}
        self._late: set[asyncio.Task[Any]] = set()

    async def run(self, work: Awaitable[T]) -> T:
        """The result of `work`; TimeoutError if it takes longer than `seconds`."""
        task = asyncio.current_task()
        assert task is not None
        self._began[task] = task.get_loop().time()
        try:
            return await work
        except asyncio.CancelledError:
            if task in self._late and task.uncancel() == 0:
                raise TimeoutError from None
            raise
        finally:
            del self._began[task]
            self._late.discard(task)

    def sweep(self, now: float) -> None:
        """Cancel what is overdue at loop time `now`."""
        for task, began in list(self._began.items()):
            if now - began > self.seconds and task not in self._late:
                self._late.add(task)
                task.cancel()
