"""Calls that are run alone, each in a worker in which nothing else runs: to see which of them ends it.

A call comes here if it was under way in a worker that ended by its own doing, or is of a destination one of
whose calls has ended a worker here within the last ten minutes, or holds an event that was in either. So what
can end a worker is never next to calls of others for long.

A call that ends its worker here is told to be tried again later, as a server that breaks down would be; at
the third time for the same event it is `Poison`, which the engine takes for a fault of the payloads: it
halves a batch until the one that does it stands alone, and discards that.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from weakref import WeakValueDictionary

import structlog

from onward.destinations.bridge.errors import ActionFailed, Poison, WorkerLost
from onward.destinations.bridge.worker import Answer, Configuration, Unencodable, Worker
from onward.destinations.definition import Call, Json

log = structlog.get_logger("onward.catalogue")

AT_ONCE = 2
"""Workers for this at a time."""
STRIKES = 3
"""Workers that an event may end before it counts as poison."""
QUARANTINE = 600.0
"""Seconds that a destination's calls run here after one of them has ended a worker here."""
REMEMBERED = 200_000
"""Events under suspicion; the oldest are forgotten."""

_Key = tuple[str, str, object]


class Trials:
    def __init__(self, start: Callable[[], Awaitable[Worker]]) -> None:
        self._start = start
        self._suspects: OrderedDict[_Key, int] = OrderedDict()
        """Events that were in a call when its worker ended, and how many they have ended here."""
        self._quarantine: dict[str, float] = {}
        """Destinations, and until when."""
        self._lanes: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._idle: list[Worker] = []

    def wanted(self, arguments: Json, call: Call) -> bool:
        """Whether a call should run here."""
        if not self._suspects and not self._quarantine:
            return False
        until = self._quarantine.get(call.destination_id)
        if until is not None:
            if asyncio.get_running_loop().time() < until:
                return True
            del self._quarantine[call.destination_id]
        return any(key in self._suspects for key in _keys(arguments, call))

    async def run(self, operation: str, configuration: Configuration, arguments: Json, call: Call) -> Answer:
        """Raises what `Worker.call` does, or `Poison`."""
        keys = list(_keys(arguments, call))
        for key in keys:
            self._suspects.setdefault(key, 0)
        while len(self._suspects) > REMEMBERED:
            self._suspects.popitem(last=False)
        # One call of a destination at a time, so that many of one can't hold up those of others.
        lane = self._lanes.get(call.destination_id) or asyncio.Lock()
        self._lanes[call.destination_id] = lane
        try:
            async with lane, self._places:
                answer = await self._alone(operation, configuration, arguments, call, keys)
        except ActionFailed:
            self._clear(keys)
            raise
        self._clear(keys)
        return answer

    async def _alone(
        self, operation: str, configuration: Configuration, arguments: Json, call: Call, keys: list[_Key]
    ) -> Answer:
        worker = self._take() or await self._start()
        try:
            answer = await worker.call(operation, configuration, arguments, call)
        except WorkerLost as lost:
            if lost.own_doing:
                raise self._convict(lost, call, keys) from lost
            raise
        except (ActionFailed, Unencodable):
            self._idle.append(worker)
            raise
        except BaseException:  # given up: the worker may be in anything
            worker.kill("nobody waits for the call that is alone in it")
            raise
        self._idle.append(worker)
        return answer

    def _convict(self, lost: WorkerLost, call: Call, keys: list[_Key]) -> Exception:
        self._quarantine[call.destination_id] = asyncio.get_running_loop().time() + QUARANTINE
        strikes = 0
        for key in keys:
            if key in self._suspects:
                self._suspects[key] += 1
                strikes = max(strikes, self._suspects[key])
        log.error(
            "a call ends the catalogue worker that it runs in",
            destination=call.destination_id,
            times=strikes,
            reason=str(lost),
        )
        return Poison(str(lost)) if strikes >= STRIKES else lost

    def _clear(self, keys: list[_Key]) -> None:
        """They have been through a worker that is still there."""
        for key in keys:
            self._suspects.pop(key, None)
        if not self._suspects:
            for worker in self._idle:
                worker.retire()
            self._idle.clear()

    def _take(self) -> Worker | None:
        while self._idle:
            worker = self._idle.pop()
            if worker.alive and not worker.retired:
                return worker
        return None

    async def close(self) -> None:
        self._idle.clear()


def _keys(arguments: Json, call: Call) -> Iterator[_Key]:
    for event in arguments.get("events", ()):
        yield (call.destination_id, call.subscription_id, str(event.get("messageId")))
