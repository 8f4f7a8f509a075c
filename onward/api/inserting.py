"""The insert function of a destination, for testers: called as deliveries call it, in a process of its own.

What it returns goes on as it is, and is shown with sensitive settings masked. A preview is asked for at each
key press in an editor, and the requests of the function are real: there, what it made of the same event a
moment ago will do.
"""

import hashlib
from typing import TypedDict

import orjson
from anyio.to_thread import run_sync

from onward.api.context import Context
from onward.destinations.tester import Instance, Problem
from onward.functions.errors import CODES, Kind
from onward.functions.inserted import Came
from onward.functions.selftest import NoBoundary
from onward.functions.trial import BATCH, HANDLERS, Trial
from onward.functions.workshop import Busy
from onward.pipeline.types import Event
from onward.workspace.entities import FunctionVersion
from onward.workspace.snapshot import DeployedFunction

DROPPED = "FILTERED_AT_INSERT_FUNCTION"
COMPLETED = {"messageId", "originalTimestamp", "receivedAt", "sentAt", "timestamp"}
"""What an event is completed with, anew each time, where it was given without."""


class InsertRun(TypedDict):
    """What the insert function did in a test."""

    functionId: str
    versionId: str
    name: str
    """Of the function."""
    code: str
    """Empty if it let the event through."""
    message: str
    """Why it let nothing through."""
    trial: Trial | None
    """Null if it could not be run."""


class Inserting:
    """An `Insert` that keeps what it did in `run`, which is None until it is called."""

    def __init__(self, context: Context, function: DeployedFunction, *, previewing: bool) -> None:
        self._context = context
        self._function = function
        self._previewing = previewing
        self.run: InsertRun | None = None

    async def __call__(self, event: Event) -> Event | Problem:
        key = self._key(event)
        came: Event | Problem
        if self._previewing and (found := self._context.inserted.find(key)) is not None:
            self.run, came = found
            return came
        try:
            trial, came = await self._try_out(event)
        except _NotRun as reason:
            trial, came = None, _problem(reason.code, str(reason))
        self.run = self._told(trial, came)
        if trial is not None:
            self._context.inserted.keep(key, (self.run, came))
        return came

    def _key(self, event: Event) -> bytes:
        function = self._function
        given = {name: value for name, value in event.items() if name not in COMPLETED}
        asked = (self._context.workspace_id, function.instance, function.version, function.settings, given)
        return hashlib.sha256(orjson.dumps(asked)).digest()

    def _told(self, trial: Trial | None, came: Event | Problem) -> InsertRun:
        problem = came if isinstance(came, Problem) else None
        return {
            "functionId": self._function.id,
            "versionId": self._function.version,
            "name": self._function.name,
            "code": "" if problem is None else problem.code,
            "message": "" if problem is None else problem.message,
            "trial": trial,
        }

    async def _try_out(self, event: Event) -> tuple[Trial, Event | Problem]:
        """Raises `_NotRun`."""
        context, function = self._context, self._function
        if context.workshop is None:
            raise _NotRun("internal", "nothing is here that could run the insert function")
        code = await run_sync(self._code)
        if code is None:
            raise _NotRun("internal", "the insert function has just been deleted")
        handler = HANDLERS.get(event.get("type", ""), "handler for its type")
        known = function.handlers or (handler,)
        alone = handler in known or BATCH not in known
        came: list[Came] = []
        try:
            trial = await context.workshop.try_out(
                code,
                event if alone else [event],
                function.settings,
                workspace_id=context.workspace_id,
                handler=handler if alone else BATCH,
                inserted=True,
                secrets={name: function.settings.get(name) for name in function.sensitive},
                keep=came.extend,
            )
        except Busy:
            why = "too many test runs are under way; try again in a moment"
            raise _NotRun("too_many_requests", why) from None
        except NoBoundary as error:
            raise _NotRun("internal", f"{error} (the setting functions_trusted)") from None
        return trial, _came_of(trial, came[0])

    def _code(self) -> str | None:
        with self._context.reading() as session:
            version = session.get(FunctionVersion, self._function.version)
            return None if version is None else version.runs


def inserting(context: Context, instance: Instance, *, previewing: bool = False) -> Inserting | None:
    """None if the destination has no insert function that is enabled. `previewing`: what it made of the same
    event a moment ago will do."""
    function = instance.destination.inserted
    return None if function is None else Inserting(context, function, previewing=previewing)


class _NotRun(Exception):
    """The function can't be called here and now."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _came_of(trial: Trial, came: Came) -> Event | Problem:
    """`came`: what it made of the event."""
    kind, message = trial.kind, trial.message
    if trial.items:  # it has onBatch alone, which was called with the one event
        [item] = trial.items
        kind, message = Kind(item["kind"]), item["message"]
    if isinstance(came, dict):
        return came
    at = "" if trial.line is None else f" (line {trial.line})"
    return _problem(DROPPED if kind is Kind.DROPPED else CODES[kind], f"{kind.value}: {message}{at}")


def _problem(code: str, message: str) -> Problem:
    return Problem(code=code, message=f"the insert function let nothing through: {message}", fields=[])
