"""Deliverability (ours; spec §8.9): what retries rescue, per destination: first attempts against the end."""

from collections.abc import Iterable
from typing import TypedDict

from litestar import get
from sqlalchemy import select

from onward.api.answers import Json, timestamp
from onward.api.answers import data as answer
from onward.api.context import ApiRequest, InContext
from onward.api.event_delivery import MINUTE, WindowQuery, windowed
from onward.api.query import read_query
from onward.metering.outcomes import Tally
from onward.workspace.entities import Destination, Source
from onward.workspace.roles import Permission

POINTS = 48
"""Of one destination's series."""


class DeliverabilityQuery(WindowQuery, rename="camel", kw_only=True):
    source_id: str | None = None
    destination_id: str | None = None


class DeliverabilityView(TypedDict):
    delivered: int
    notDelivered: int
    firstAttemptRate: float | None
    """Of delivered and not delivered, 0 to 1: the share that arrived at the first attempt."""
    finalRate: float | None
    """The share that arrived in the end."""
    rescued: int
    """Arrived after a retry."""


class DeliverabilityPoint(DeliverabilityView):
    time: str


class DestinationDeliverability(DeliverabilityView):
    destinationId: str
    name: str
    sourceId: str
    series: list[DeliverabilityPoint]
    """Of the buckets in which something came to an end."""


class Deliverability(TypedDict):
    startTime: str
    endTime: str
    bucketMinutes: int
    total: DeliverabilityView
    destinations: list[DestinationDeliverability]
    """Those with deliveries, the worst final rate first."""


class DeliverabilityAnswer(TypedDict):
    deliverability: Deliverability


@get(
    "/delivery-overview/deliverability",
    operation_id="getDeliverability",
    sync_to_thread=True,
    query=DeliverabilityQuery,
    answer=DeliverabilityAnswer,
)
def get_deliverability(context: InContext, request: ApiRequest) -> Json:
    """First-attempt success against final delivery after retries, of each destination, over time."""
    asked = read_query(request, DeliverabilityQuery)
    window = windowed(asked, context.store.now(), POINTS)
    query = (
        select(Destination.id, Destination.name, Destination.source_id)
        .join(Source, Source.id == Destination.source_id)
        .where(Source.workspace_id == context.workspace_id)
    )
    if asked.source_id is not None:
        query = query.where(Source.id == asked.source_id)
    if asked.destination_id is not None:
        query = query.where(Destination.id == asked.destination_id)
    with context.reading() as session:
        destinations = [
            row
            for row in session.execute(query)
            if context.access.to(Permission.DESTINATION_READ, row.source_id)
        ]
    trends = context.delivery.ask.trends(window)
    total = Tally()
    shown: list[DestinationDeliverability] = []
    for row in destinations:
        points = trends.get(row.id)
        if not points:
            continue
        whole = _sum(points.values())
        _add(total, whole)
        shown.append(
            {
                **_view(whole),
                "destinationId": row.id,
                "name": row.name,
                "sourceId": row.source_id,
                "series": [
                    {**_view(each), "time": timestamp(at * MINUTE)} for at, each in sorted(points.items())
                ],
            }
        )
    shown.sort(key=lambda each: (1.0 if each["finalRate"] is None else each["finalRate"], each["name"]))
    return answer(
        deliverability={
            "startTime": timestamp(window.start * MINUTE),
            "endTime": timestamp(window.end * MINUTE),
            "bucketMinutes": window.bucket,
            "total": _view(total),
            "destinations": shown,
        }
    )


def _sum(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for each in tallies:
        _add(total, each)
    return total


def _add(total: Tally, each: Tally) -> None:
    total.delivered += each.delivered
    total.at_once += each.at_once
    total.discarded += each.discarded


def _view(tally: Tally) -> DeliverabilityView:
    return {
        "delivered": tally.delivered,
        "notDelivered": tally.discarded,
        "firstAttemptRate": tally.first_attempt_rate,
        "finalRate": tally.success_rate,
        "rescued": tally.delivered - tally.at_once,
    }
