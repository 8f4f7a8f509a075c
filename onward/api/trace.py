"""Trace (ours): what became of one event at each destination, step by step, or where it waits."""

from typing import Any, TypedDict

import anyio.to_thread
import msgspec
from litestar import get
from sqlalchemy import select

from onward.api.answers import Json
from onward.api.answers import data as answer
from onward.api.context import ApiRequest, Context, InContext
from onward.api.numbers import instant
from onward.api.query import read_query
from onward.metering.tracing import Tracer, Traces, Wanted
from onward.pipeline import personal
from onward.workspace.entities import Source
from onward.workspace.errors import Forbidden, Invalid, NotFound
from onward.workspace.roles import Permission

MOST = 50
"""Events that one answer traces."""


class TraceQuery(msgspec.Struct, rename="camel", kw_only=True):
    message_id: str | None = None
    user_id: str | None = None
    """A userId or an anonymousId; with a time."""
    source_id: str | None = None
    """Without it, all sources that the caller may see."""
    destination_ids: list[str] = msgspec.field(default_factory=list)
    """Without any, all destinations of the source."""
    start_time: str | None = None
    """When the event was received, from; a messageId of the last day needs none."""
    end_time: str | None = None
    limit: int = 20
    """Events at most, up to 50."""


class TraceAnswer(TypedDict):
    traces: list[dict[str, Any]]
    """`{"messageId", "sourceId", "receivedAt", "event", "destinations": [{"destinationId", "name", "status",
    "summary", "code", "configurationVersion", "steps": [{"stage", "passed", "id", "name", "code", "message",
    "output"}], "deliveries": [{"subscriptionId", "name", "status", "summary", "code", "message",
    "attemptsMade", "attempts": [{"time", "attempt", "outcome", "code", "message", "nextAttemptAt"}],
    "nextAttemptAt", "givesUpAt", "discardId", "payload"}]}]}` each. `status` is one of `delivered`,
    `filtered`, `discarded`, `retrying`, `pending`, `notForIt` (the destination was off) and `unknown` (too
    long ago)."""
    searched: dict[str, Any] | None
    """Null if it was known where to look, else `{"startTime", "endTime", "complete", "nextTime", "records"}`:
    if the search is not complete, ask again with `nextTime` as the start."""


@get("/trace", operation_id="traceEvents", query=TraceQuery, answer=TraceAnswer)
async def trace_events(context: InContext, request: ApiRequest) -> Json:
    """What became of an event at each destination: filters, triggers, mappings, attempts and answers."""
    asked = read_query(request, TraceQuery)
    tracer: Tracer | None = request.app.state.tracer
    if tracer is None:
        raise Invalid("this process has no event log to look at; ask the server itself")
    wanted = await anyio.to_thread.run_sync(_wanted, context, asked)
    found = await anyio.to_thread.run_sync(tracer.trace, wanted)
    return answer(**await anyio.to_thread.run_sync(_shown, context, found))


def _wanted(context: Context, asked: TraceQuery) -> Wanted:
    if asked.message_id is None and asked.user_id is None:
        raise Invalid("this or userId says what to trace", field="messageId")
    if asked.user_id is not None and asked.start_time is None:
        raise Invalid("a user's events are looked for within a time", field="startTime")
    start = None if asked.start_time is None else instant(asked.start_time, "startTime")
    end = None if asked.end_time is None else instant(asked.end_time, "endTime")
    if start is not None and end is not None and start >= end:
        raise Invalid("this must be after startTime", field="endTime")
    if not 1 <= asked.limit <= MOST:
        raise Invalid(f"this must be a whole number from 1 to {MOST}", field="limit")
    return Wanted(
        workspace_id=context.workspace_id,
        source_ids=_sources(context, asked.source_id),
        message_id=asked.message_id,
        user_id=asked.user_id,
        start=start,
        end=end,
        destination_ids=frozenset(asked.destination_ids) or None,
        limit=asked.limit,
    )


def _sources(context: Context, source_id: str | None) -> tuple[str, ...]:
    """What the caller may see the events of; raises `NotFound` or `Forbidden`."""
    query = select(Source.id).where(Source.workspace_id == context.workspace_id).order_by(Source.created_at)
    if source_id is not None:
        query = query.where(Source.id == source_id)
    with context.reading() as session:
        ids = session.scalars(query).all()
    if source_id is not None and not ids:
        raise NotFound(f"there is no source {source_id}")
    allowed = tuple(id for id in ids if context.access.to(Permission.DELIVERY_READ, id))
    if source_id is not None and not allowed:
        raise Forbidden(f"this takes the permission {Permission.DELIVERY_READ} for the source {source_id}")
    return allowed


def _shown(context: Context, found: Traces) -> Json:
    shown: Json = msgspec.to_builtins(found)
    for trace in shown["traces"]:
        if not context.access.to(Permission.PII_READ, trace["sourceId"]):
            trace["event"] = personal.masked(trace["event"])
            for destination in trace["destinations"]:
                _mask(destination)
    return shown


def _mask(destination: Json) -> None:
    """What was made of the event, and words, which may quote it."""
    destination["summary"] = personal.text(destination["summary"])
    for step in destination["steps"]:
        step["output"] = personal.masked(step["output"])
        step["message"] = personal.text(step["message"])
    for delivery in destination["deliveries"]:
        delivery["payload"] = personal.masked(delivery["payload"])
        for told in (delivery, *delivery["attempts"]):
            told["message"] = personal.text(told["message"])
        delivery["summary"] = personal.text(delivery["summary"])
