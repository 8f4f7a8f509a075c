"""Connection Health and what needs attention (ours; spec §12.7): a word and a sentence for each."""

import os
from typing import Literal, TypedDict

from litestar import get
from sqlalchemy import select

from onward.api.answers import Json, timestamp
from onward.api.answers import data as answer
from onward.api.context import ApiRequest, InContext
from onward.api.numbers import HOUR, numbers
from onward.metering import health
from onward.metering.health import TROUBLE, SourceDay, Standing, State
from onward.metering.outcomes import Tally
from onward.workspace.entities import Destination, Source
from onward.workspace.function_catalogue import is_function
from onward.workspace.roles import Permission

MINUTE = 60_000


class HealthView(TypedDict):
    id: str
    name: str
    health: State
    summary: str
    """One sentence."""
    since: str | None


class DestinationHealthView(HealthView):
    sourceId: str
    successRate: float | None
    """Of the last hour."""
    pending: int
    retrying: int


class AttentionView(TypedDict):
    resourceType: Literal["SOURCE", "DESTINATION", "INSTALLATION"]
    resourceId: str | None
    health: str
    summary: str
    since: str | None


class HealthReport(TypedDict):
    sources: list[HealthView]
    destinations: list[DestinationHealthView]
    attention: list[AttentionView]
    """The worst first."""


class HealthAnswer(TypedDict):
    health: HealthReport


@get("/connections/health", operation_id="getConnectionHealth", sync_to_thread=True, answer=HealthAnswer)
def get_health(context: InContext, request: ApiRequest) -> Json:
    """How each source and destination is doing, by its last hour, and what needs attention."""
    now = context.store.now()
    minute = now // MINUTE
    with context.reading() as session:
        sources = session.scalars(
            context.narrowed(
                select(Source).where(Source.workspace_id == context.workspace_id).order_by(Source.name),
                Source.id,
                Permission.SOURCE_READ,
            )
        ).all()
        ids = {each.id for each in sources if context.access.to(Permission.DESTINATION_READ, each.id)}
        destinations = [
            each
            for each in session.scalars(
                select(Destination)
                .join(Source, Source.id == Destination.source_id)
                .where(Source.workspace_id == context.workspace_id)
                .order_by(Destination.name)
            )
            if each.source_id in ids
        ]
        books = context.delivery.all_books({each.id: each.source_id for each in destinations})
        hours = context.delivery.ask.tallies(minute - 60, minute + 1)
        failures = context.delivery.ask.last_failures()
        discards = context.delivery.ask.last_failures("discarded")
        counted = numbers(request)
        days = counted.usage.last_day(now)
        accepted = context.delivery.accepted()
        of_sources = [
            (
                each,
                health.of_source(
                    each.name,
                    enabled=each.enabled,
                    ever=accepted.get(each.id, 0),
                    day=days.get(each.id, SourceDay()),
                    refused=counted.door(each.id, now - HOUR, now + MINUTE).get("discarded", 0),
                    now=now,
                ),
            )
            for each in sources
        ]
        of_destinations = [
            (
                each,
                health.of_destination(
                    each.name,
                    enabled=each.enabled,
                    connected=bool(each.active),
                    known=is_function(each.definition) or each.definition in context.store.catalogue,
                    paused_since=books[each.id].paused_since,
                    pending=books[each.id].pending,
                    retrying=books[each.id].retrying,
                    hour=hours.get(each.id, Tally()),
                    last_failure=failures.get(each.id),
                    last_discard=discards.get(each.id),
                    now=now,
                ),
            )
            for each in destinations
        ]
        attention = [_attention("SOURCE", each.id, standing) for each, standing in of_sources]
        attention += [_attention("DESTINATION", each.id, standing) for each, standing in of_destinations]
        attention = [each for each in attention if each["health"] in TROUBLE]
        attention.sort(key=lambda each: (TROUBLE.index(each["health"]), each["summary"]))
        return answer(
            health={
                "sources": [_view(each, standing) for each, standing in of_sources],
                "destinations": [
                    {
                        **_view(each, standing),
                        "sourceId": each.source_id,
                        "successRate": hours.get(each.id, Tally()).success_rate,
                        "pending": books[each.id].pending,
                        "retrying": books[each.id].retrying,
                    }
                    for each, standing in of_destinations
                ],
                "attention": _disk(request) + attention,
            }
        )


def _view(each: Source | Destination, standing: Standing) -> HealthView:
    return {
        "id": each.id,
        "name": each.name,
        "health": standing.state,
        "summary": standing.summary,
        "since": None if standing.since is None else timestamp(standing.since),
    }


def _attention(
    kind: Literal["SOURCE", "DESTINATION", "INSTALLATION"], id: str | None, standing: Standing
) -> AttentionView:
    return {
        "resourceType": kind,
        "resourceId": id,
        "health": standing.state,
        "summary": standing.summary,
        "since": None if standing.since is None else timestamp(standing.since),
    }


def _disk(request: ApiRequest) -> list[AttentionView]:
    settings = request.app.state.settings
    disk = os.statvfs(settings.data)
    free = disk.f_bavail * disk.f_frsize
    if free >= 2 * settings.disk_reserve_bytes:
        return []
    refusing = free < settings.disk_reserve_bytes
    words = "so new events are refused" if refusing else "and below half of that new events are refused"
    summary = f"{free / 2**30:.1f} GiB are free on the disk, {words}."
    return [_attention("INSTALLATION", None, Standing("failing", summary))]
