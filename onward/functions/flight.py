"""Calls of one runner that are under way: sent ahead within a window, answered in their order.

One round trip for many events is what makes events cheap, but each is still a call of its own: its result,
its log, its requests, its five seconds. The runner may keep results back for half a millisecond, as long as
nothing of their events can have shown outside: it tells all it has before it lets out anything else.

Invariants:
- Answers count only in the order of the calls; any other is a forgery, and ignored.
- When the process ends, those that are answered are known. Which call it ended with is known if only one can
  have been running, or if one has been heard of since the last answer. Otherwise all that were sent and not
  answered are suspects; none of them has done anything outside, so all may be called again, one by one.

State: that of the calls under way, lost with this process.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from onward.egress.http import Client
from onward.egress.masking import Masking
from onward.functions import wire
from onward.functions.errors import Ending, Kind
from onward.functions.fetching import Fetcher, FetchLimits
from onward.functions.invocation import Invocation, cut, of_result
from onward.functions.wire import ProtocolError, Thrown

Call = tuple[str, Any]
"""A handler, and the event that it is called for (or the list of them)."""

WINDOW, WINDOW_BYTES = 64, 256 * 1024
"""Calls that are sent and not answered, and what they may weigh together."""
MOST_UNCAUGHT = 20
NOT_AWAITED = "the handler ended without waiting for it; an await may be missing"


class Flown(msgspec.Struct, kw_only=True):
    """What came of calls: of all, or of those before the process ended."""

    made: list[Invocation]
    suspects: int = 0
    """So many after those; with one of them the process ended."""
    own_doing: bool = False
    """Whether it ended by one of theirs, and not by somebody's hand."""


class Flight:
    """`first` is the id of the first call, the others follow."""

    def __init__(
        self,
        calls: Sequence[Call],
        settings: Mapping[str, Any],
        http: Client,
        masking: Masking,
        *,
        first: int,
        pid: int,
        frames: int,
        fetch: FetchLimits,
        wall: float,
    ) -> None:
        self.made: list[Invocation] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.tasks: dict[int, asyncio.Task[None]] = {}
        """Requests of the call that runs, each named by its method and address."""
        self._calls = calls
        self._settings = settings
        self._http, self._masking = http, masking
        self._first, self._pid = first, pid
        self._most_frames, self._fetch_limits, self._wall = frames, fetch, wall
        self._sent = 0
        self._unsent: dict[int, Invocation] = {}
        """Calls that can't be made, by their place."""
        self._frames = 0
        self._fetcher: Fetcher | None = None
        self._uncaught: list[Thrown] = []

    @property
    def current(self) -> int:
        """The id of the call that is to be answered next."""
        return self._first + len(self.made)

    def ahead(self) -> bytes:
        """Frames to be sent now, empty if none are."""
        waiting = self._sent - len(self.made)
        if waiting > WINDOW // 2:
            return b""
        frames: list[bytes] = []
        size = 0
        while waiting < WINDOW and size < WINDOW_BYTES and self._sent < len(self._calls):
            handler, payload = self._calls[self._sent]
            try:
                frame = wire.encode(
                    {"t": "inv", "id": self._first + self._sent, "h": handler, "a": [payload, self._settings]}
                )
            except ValueError as error:
                ending = Ending(Kind.MESSAGE_REJECTED, f"the event can't be handed to a function: {error}")
                self._unsent[self._sent] = Invocation(ending=ending, pid=self._pid)
            else:
                frames.append(frame)
                size += len(frame)
            self._sent += 1
            waiting += 1
        if self._unsent:
            self._skip()
        return frames[0] if len(frames) == 1 else b"".join(frames)

    def count(self) -> None:
        """A frame of the call that runs. Raises `ProtocolError` for too many."""
        self._frames += 1
        if self._frames > self._most_frames:
            raise ProtocolError(f"more than {self._most_frames} frames in one invocation")

    def answered(self, result: wire.Result) -> bool:
        """Whether it is the one that is waited for."""
        if result.id != self.current or len(self.made) >= self._sent or self.done.done():
            return False
        made = of_result(result, self._pid)
        made.wall_ms = max(0.0, min(result.ms, self._wall * 1000))
        self._end(made)
        self._skip()
        return True

    def fetcher(self) -> Fetcher:
        """Of the call that runs."""
        if self._fetcher is None:
            self._fetcher = Fetcher(self._http, self._masking, self._fetch_limits, self._wall)
        return self._fetcher

    def uncaught(self, error: Thrown) -> None:
        if len(self._uncaught) < MOST_UNCAUGHT:
            self._uncaught.append(cut(error))

    def land(self, ending: Ending) -> Flown:
        """The process has ended: whom `ending` is for."""
        self.cancel()
        suspects = self._sent - len(self.made)
        if suspects > 1 and self._frames == 0:
            own_doing = ending.kind in (Kind.TIMEOUT, Kind.BAD_REQUEST)
            return Flown(made=self.made, suspects=suspects, own_doing=own_doing)
        self._end(Invocation(ending=ending, pid=self._pid, died=True))
        return Flown(made=self.made)

    def cancel(self, reason: str | None = None) -> None:
        """No more requests; their record tells the reason."""
        for task in self.tasks.values():
            task.cancel(reason)
        self.tasks.clear()

    def _end(self, made: Invocation) -> None:
        """Of the call that has run; the next one begins."""
        self._frames = 0
        for task in self.tasks.values():
            self.uncaught(Thrown("FetchError", f"{task.get_name()} was called off: {NOT_AWAITED}"))
        if self._uncaught:
            made.uncaught, self._uncaught = self._uncaught, []
        self.cancel(
            NOT_AWAITED
        )  # also of those that have not begun, which would begin in the next call's name
        if self._fetcher is not None:
            made.record, self._fetcher = self._fetcher.record, None
        self.made.append(made)

    def _skip(self) -> None:
        while (place := len(self.made)) in self._unsent:
            self.made.append(self._unsent[place])
        if len(self.made) == len(self._calls) and not self.done.done():
            self.done.set_result(None)
