"""Forwards audit events to the sources that workspaces have set for them (spec §17.2).

They go through the front door as if a client had sent them, so the source's rules hold and its destinations
get them. What waits, and what if the process dies here: see `onward.workspace.audit_trail`.
"""

import asyncio

from sqlalchemy import Engine

from onward.tracking.app import Tracking
from onward.workspace import audit_trail
from onward.workspace.audit_trail import Portion
from onward.workspace.database import reading, writing


async def forward(tracking: Tracking, engine: Engine) -> int:
    """Hand over what waits; how many events. Raises what the database does; then try again."""
    forwarded = 0
    while (portion := await asyncio.to_thread(_next, engine)) is not None:
        answer = await tracking.hand_in(portion.source_id, portion.events)
        if answer.status == 503:  # no room on the disk, or a source that the snapshot has not yet
            break
        await asyncio.to_thread(_clear, engine, portion)
        forwarded += len(portion.events)
    return forwarded


def _next(engine: Engine) -> Portion | None:
    with reading(engine) as session:
        return audit_trail.next_portion(session)


def _clear(engine: Engine, portion: Portion) -> None:
    with writing(engine) as session:
        audit_trail.clear(session, portion.places)
