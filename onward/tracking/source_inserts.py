"""Insert functions of sources (spec §2 step 6, §10.1): events are changed or dropped before anything else is
done to them, once for all destinations.

The function gets each event complete, as destinations would, and before the source's rules are applied. Its
type and messageId stay what they were. What it returns is checked as a client's event is.

Invariants
* No event passes a function that should have seen it: if the function can't run now (RetryError, a timeout,
  no sandbox), nothing of the request is taken, and the client keeps it (503).
* What a function drops is counted as filtered; what it fails for is discarded with the kind of error.
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from onward.functions.errors import Kind
from onward.functions.process import Invocation
from onward.functions.trial import HANDLERS
from onward.pipeline.governance.governor import INSERT_FUNCTION
from onward.pipeline.normalise import Undecodable, completer
from onward.pipeline.types import Envelope, Event
from onward.pipeline.validate import discard_code
from onward.tracking import answers
from onward.tracking.answers import Answer
from onward.tracking.depth import too_deep
from onward.tracking.door_functions import DoorFunctions, key, masking
from onward.tracking.intake import BAD_REQUEST, Intake
from onward.tracking.limits import EVENT_BYTES
from onward.workspace.snapshot import DeployedFunction, Source

LARGEST = 2 * EVENT_BYTES
"""Bytes of what a function may make of an event; completing it takes some, too."""
LOCKED_OUT: Final = "FUNCTIONS_LOCK_OUT"
AGAIN = 5
"""Seconds after which a client may send again."""


class SourceInserts:
    def __init__(self, functions: DoorFunctions) -> None:
        self._functions = functions

    async def apply(self, taken: Intake, source: Source, envelope: Envelope) -> Answer | None:
        """Change what stands of a request; call it after `Intake.validate`. An answer, if it is the last:
        then nothing of the request was taken."""
        function = source.inserted
        if function is None:
            return None
        standing = taken.standing()
        if self._functions.locked_out(source.workspace_id, function.id):
            taken.block(dict.fromkeys(standing, LOCKED_OUT))
            return None
        code = await self._functions.code(source.workspace_id, function.instance, function)
        if code is None:
            return answers.later(503, AGAIN, "the insert function of this source can't run now")
        complete = completer(envelope, taken.content)
        events = {at: complete(taken.events[at], at) for at in standing}
        made = await self._call(function, code, events)
        if any(each.ending.action == "retry" for each in made.values()):
            return answers.later(503, AGAIN, "the insert function of this source asks to try again later")
        _rewrite(taken, events, made)
        return None

    async def _call(
        self, function: DeployedFunction, code: str, events: Mapping[int, Event | Undecodable]
    ) -> dict[int, Invocation]:
        calls = {
            at: (HANDLERS[event["type"]], event)
            for at, event in events.items()
            if not isinstance(event, Undecodable)
        }
        made = await self._functions.pool.invoke_each(
            key(function.instance, function), code, list(calls.values()), function.settings, masking(function)
        )
        return dict(zip(calls, made, strict=True))


def _rewrite(
    taken: Intake, events: Mapping[int, Event | Undecodable], made: Mapping[int, Invocation]
) -> None:
    """Put what the function made of the events in their places, complete, and block the others."""
    codes: dict[int, str] = {}
    kept: list[Any] = [None] * taken.count
    for at, event in events.items():
        if isinstance(event, Undecodable):  # not after validation; if it is, its readers will say so
            kept[at] = taken.events[at]
            continue
        changed, code = _judged(event, made[at])
        if code is None:
            kept[at] = changed
        else:
            codes[at] = code
    taken.changed = kept
    taken.stored = orjson.dumps({"batch": kept})
    if codes:
        taken.block(codes)


def _judged(event: Event, made: Invocation) -> tuple[Event | None, str | None]:
    """The event as it goes on, or the code for which it does not."""
    kind = made.ending.kind
    if kind is Kind.DROPPED:
        return None, INSERT_FUNCTION
    if kind is not Kind.OK:
        return None, made.ending.code
    try:
        changed = orjson.loads(bytes(made.value))
    except orjson.JSONDecodeError:
        return None, BAD_REQUEST
    if made.dropped or too_deep([changed]) or len(bytes(made.value)) > LARGEST:
        return None, BAD_REQUEST
    if not isinstance(changed, dict):
        return None, INSERT_FUNCTION
    changed["type"], changed["messageId"] = event["type"], event["messageId"]
    return changed, discard_code(changed)
