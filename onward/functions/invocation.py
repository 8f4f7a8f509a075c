"""What comes of calling a handler."""

from collections.abc import Sequence

import msgspec
import orjson

from onward.egress.record import Recorder
from onward.functions.errors import OK, Ending, Kind, of_batch, of_thrown
from onward.functions.wire import Result, Thrown

MOST_LOGS, LONGEST_LOG = 1000, 8192
LONGEST_NAME, LONGEST_TEXT = 200, 4096
"""Characters of an error that are kept: the runner's own limits, but it may be forged."""


class Invocation(msgspec.Struct, kw_only=True):
    """What came of calling a handler."""

    ending: Ending
    value: msgspec.Raw = msgspec.Raw(b"null")
    """What the handler returned, as JSON; null where that is no JSON or too long (`dropped`)."""
    dropped: bool = False
    error: Thrown | None = None
    logs: Sequence[tuple[float, str, str]] = ()
    """Milliseconds since the epoch, level, text."""
    lost_logs: int = 0
    uncaught: Sequence[Thrown] = ()
    """Errors that nothing in the function waited for."""
    wall_ms: float = 0.0
    queue_ms: float = 0.0
    cold: bool = False
    """Whether the code had to be loaded first."""
    pid: int = 0
    died: bool = False
    """Whether its process has ended with it."""
    record: Recorder | None = None
    """Its requests, if it made any; `exchanges()` shows them, secrets masked."""

    def endings(self, events: int) -> list[Ending]:
        """Of an onBatch: one for each event."""
        if self.ending.kind is not Kind.OK or not bytes(self.value).startswith(b"["):
            return [self.ending] * events
        try:
            value = orjson.loads(bytes(self.value))
        except orjson.JSONDecodeError:
            value = None
        return of_batch(self.ending, value, events)


def of_result(result: Result, pid: int) -> Invocation:
    """What the runner says, cut to what may be kept."""
    made = Invocation(ending=OK, value=result.value, dropped=result.dropped, pid=pid)
    if not result.ok:
        made.error = cut(result.error or Thrown())
        made.ending = of_thrown(made.error)
    if result.logs:
        made.logs = [(at, level[:20], text[:LONGEST_LOG]) for at, level, text in result.logs[:MOST_LOGS]]
    if result.lost or len(result.logs) > MOST_LOGS:
        made.lost_logs = max(0, min(result.lost, 1 << 53)) + max(0, len(result.logs) - MOST_LOGS)
    return made


def cut(error: Thrown) -> Thrown:
    """What may be kept of an error."""
    stack = None if error.stack is None else error.stack[:LONGEST_TEXT]
    return Thrown(error.name[:LONGEST_NAME], error.message[:LONGEST_TEXT], stack, error.line)
