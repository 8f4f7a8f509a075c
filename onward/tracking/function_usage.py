"""What functions of sources use is added to the books, and who nears a quota is written into the audit trail.

The audit trail is what people are told by: it can be read, exported, and forwarded to a source. Crossings
are found by whichever process reaches them (`onward.metering.functions`); the web process tells of all.

What if the process dies here? A crossing is marked as told once the audit event is there, so it is told
twice at most.
"""

import asyncio
import sqlite3
import time
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from onward.metering.functions import HOUR, Crossing, FunctionMeter, FunctionStore
from onward.tracking.door_functions import DoorFunctions
from onward.workspace.entities import Function, Workspace
from onward.workspace.errors import WorkspaceError
from onward.workspace.store import Actor, Store

log = structlog.get_logger("onward.tracking")

EVERY = 2.0
"""Seconds."""
PRUNE_EVERY = 3600.0
REACHED = "Function Usage Limit Reached"
"""Type of the audit event."""


async def follow(functions: DoorFunctions, meter: FunctionMeter, books: FunctionStore, store: Store) -> None:
    """Until cancelled."""
    prune_at = time.monotonic()
    while True:
        await asyncio.sleep(EVERY)
        meter.take(functions.used())
        try:
            await asyncio.to_thread(meter.flush, int(time.time() * 1000))
            await asyncio.to_thread(tell, books, store)
            if time.monotonic() >= prune_at:
                prune_at = time.monotonic() + PRUNE_EVERY
                await asyncio.to_thread(books.prune, int(time.time() * 1000))
        except (sqlite3.Error, SQLAlchemyError, WorkspaceError) as error:
            log.error("the use of functions can't be counted; trying again", error=str(error))


def tell(books: FunctionStore, store: Store) -> int:
    """Write what was reached into the audit trails; how much there was."""
    crossings = books.untold()
    for crossing in crossings:
        _tell(store, crossing)
    if crossings:
        books.told(crossings)
    return len(crossings)


def _tell(store: Store, crossing: Crossing) -> None:
    with store.reading() as session:
        if session.get(Workspace, crossing.workspace_id) is None:
            return
    with store.changing(crossing.workspace_id, Actor(id="onward")) as editor:
        function = editor.session.get(Function, crossing.function_id) if crossing.function_id else None
        if crossing.function_id and function is None:
            return
        month = datetime.fromtimestamp(crossing.month * 86_400, UTC).strftime("%Y-%m")
        said = {
            "month": month,
            "percent": crossing.percent,
            "used_hours": round(crossing.used_ms / HOUR, 6),
            "limit_hours": crossing.limit_ms / HOUR,
            "locked_out": crossing.percent >= 100,
        }
        editor.record(function or editor.workspace, REACHED, None, said)
    log.warning("functions near their quota", workspace=crossing.workspace_id, **said)
