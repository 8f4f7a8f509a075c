"""The insert function of a destination, for testers: called as deliveries call it, in a process of its own.

What it returns is shown and sent with sensitive settings masked, as of any test run.
"""

import msgspec
from anyio.to_thread import run_sync

from onward.api.context import Context
from onward.destinations.tester import Insert, Instance, Problem
from onward.functions.errors import CODES, Kind
from onward.functions.selftest import NoBoundary
from onward.functions.workshop import Busy
from onward.pipeline.types import Event
from onward.workspace.entities import FunctionVersion
from onward.workspace.snapshot import DeployedFunction

DROPPED = "FILTERED_AT_INSERT_FUNCTION"


def inserting(context: Context, instance: Instance) -> Insert | None:
    """None if the destination has no insert function that is enabled."""
    function = instance.destination.inserted
    if function is None:
        return None

    async def insert(event: Event) -> Event | Problem:
        return await _insert(context, function, event)

    return insert


async def _insert(context: Context, function: DeployedFunction, event: Event) -> Event | Problem:
    if context.workshop is None:
        return _problem("internal", "nothing is here that could run the insert function")

    def read() -> str | None:
        with context.reading() as session:
            version = session.get(FunctionVersion, function.version)
            return None if version is None else version.runs

    code = await run_sync(read)
    if code is None:
        return _problem("internal", "the insert function has just been deleted")
    try:
        trial = await context.workshop.try_out(
            code,
            event,
            function.settings,
            workspace_id=context.workspace_id,
            inserted=True,
            secrets={name: function.settings.get(name) for name in function.sensitive},
        )
    except Busy:
        return _problem("too_many_requests", "too many test runs are under way; try again in a moment")
    except NoBoundary as error:
        return _problem("internal", f"{error} (the setting functions_trusted)")
    if trial.kind is Kind.OK:
        return msgspec.convert(trial.value, Event)
    at = "" if trial.line is None else f" (line {trial.line})"
    code_of = DROPPED if trial.kind is Kind.DROPPED else CODES[trial.kind]
    return _problem(code_of, f"{trial.kind.value}: {trial.message}{at}")


def _problem(code: str, message: str) -> Problem:
    return Problem(code=code, message=f"the insert function let nothing through: {message}", fields=[])
