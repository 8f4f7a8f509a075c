"""The pipeline as a funnel whose numbers add up at every step, and what waits at its end (ours; spec §12.2).

    received = duplicates + failed on ingest + filtered at source + accepted
    pending before + accepted + fanned out + redriven
        = not for it + filtered at destination + failed + delivered + pending

The first line by the time of receipt, the second by the time of the outcome; both exact, also while events
flow, since what is pending is part of them. What the front door counted is some seconds behind.
"""

from collections import Counter
from typing import NotRequired, TypedDict

import msgspec
from litestar import get
from sqlalchemy import select

from onward.api.answers import Json, timestamp
from onward.api.answers import data as answer
from onward.api.context import ApiRequest, Context, InContext
from onward.api.event_delivery import MINUTE, WindowQuery, windowed
from onward.api.numbers import grouped, numbers
from onward.api.query import read_query
from onward.metering.outcomes import Funnel
from onward.metering.query import COLUMNS
from onward.workspace.destinations import get_destination
from onward.workspace.entities import Destination
from onward.workspace.errors import Invalid
from onward.workspace.roles import Permission
from onward.workspace.sources import get_source

GROUPS = ("eventName", "eventType", "appVersion", "discardReason", "subscriptionId")


class FunnelQuery(WindowQuery, rename="camel", kw_only=True):
    source_id: str
    destination_config_id: str | None = None
    """Id of the destination; without it the steps of the source alone."""


class SideBySideQuery(WindowQuery, rename="camel", kw_only=True):
    source_id: str


class WaitingQuery(msgspec.Struct, rename="camel", kw_only=True):
    source_id: str
    destination_config_id: str
    """Id of the destination."""
    group_by: list[str] = msgspec.field(default_factory=list)
    """Of `eventName`, `eventType`, `appVersion`, `discardReason` (of the last attempt), `subscriptionId`."""


class SourceSteps(TypedDict):
    received: int
    duplicates: int
    failedOnIngest: int
    filteredAtSource: int
    accepted: int


class DestinationSteps(TypedDict):
    pendingBefore: int
    """Had no outcome when the window began."""
    accepted: int
    fannedOut: int
    """Deliveries beyond the first of events that matched several mappings."""
    redriven: int
    """Given up on before, and sent again by hand."""
    notForIt: int
    """Came while the destination was off, or before it was connected."""
    filteredAtDestination: int
    failedDelivery: int
    successfulDelivery: int
    deliveredAtOnce: int
    """Of those delivered: at the first attempt."""
    pending: int
    """Have no outcome at the window's end."""
    pendingNow: int
    retryingNow: int
    """Of those pending now: the ones that wait for another attempt."""


class FunnelView(TypedDict):
    startTime: str
    endTime: str
    source: SourceSteps
    destination: DestinationSteps | None
    """None without a destination, and of one that was never enabled."""


class FunnelAnswer(TypedDict):
    funnel: FunnelView


class DestinationFunnelView(TypedDict):
    destinationConfigId: str
    steps: DestinationSteps | None
    """None of one that was never enabled."""


class SideBySideView(TypedDict):
    startTime: str
    endTime: str
    destinations: list[DestinationFunnelView]


class SideBySideAnswer(TypedDict):
    sideBySide: SideBySideView


class WaitingView(TypedDict):
    eventName: NotRequired[str]
    eventType: NotRequired[str]
    appVersion: NotRequired[str]
    discardReason: NotRequired[str]
    subscriptionId: NotRequired[str]
    total: int


class WaitingAnswer(TypedDict):
    total: int
    dataset: list[WaitingView]
    """The largest first."""


@get(
    "/delivery-overview/funnel",
    operation_id="getDeliveryFunnel",
    sync_to_thread=True,
    query=FunnelQuery,
    answer=FunnelAnswer,
)
def get_funnel(context: InContext, request: ApiRequest) -> Json:
    """What became of a source's events at each step, up to one destination; the numbers add up."""
    asked = read_query(request, FunnelQuery)
    with context.reading() as session:
        get_source(session, context.workspace_id, asked.source_id)
    context.access.require(Permission.SOURCE_READ, asked.source_id)
    if asked.destination_config_id is not None:
        _check_destination(context, asked.source_id, asked.destination_config_id)
    now = context.store.now()
    window = windowed(asked, now)
    count = numbers(request)
    inflow = count.usage.inflow(asked.source_id, window)
    funnel = None
    to_now = window.end * MINUTE >= now
    if asked.destination_config_id is not None:
        funnel = context.delivery.funnel(
            asked.destination_config_id, asked.source_id, window, inflow, to_now=to_now
        )
    at_source = count.door(asked.source_id, window.start * MINUTE, window.end * MINUTE)
    return answer(
        funnel={
            "startTime": timestamp(window.start * MINUTE),
            "endTime": timestamp(window.end * MINUTE),
            "source": _source(at_source, funnel.accepted if funnel else inflow.within),
            "destination": None if funnel is None else _destination(funnel),
        }
    )


@get(
    "/delivery-overview/side-by-side",
    operation_id="getDeliverySideBySide",
    sync_to_thread=True,
    query=SideBySideQuery,
    answer=SideBySideAnswer,
)
def get_side_by_side(context: InContext, request: ApiRequest) -> Json:
    """What became of a source's events at each of its destinations, as the funnel tells it of one."""
    asked = read_query(request, SideBySideQuery)
    with context.reading() as session:
        get_source(session, context.workspace_id, asked.source_id)
        ids = session.scalars(
            select(Destination.id)
            .where(Destination.source_id == asked.source_id)
            .order_by(Destination.name, Destination.id)
        ).all()
    context.access.require(Permission.SOURCE_READ, asked.source_id)
    context.access.require(Permission.DESTINATION_READ, asked.source_id)
    now = context.store.now()
    window = windowed(asked, now)
    inflow = numbers(request).usage.inflow(asked.source_id, window)
    to_now = window.end * MINUTE >= now
    shown: list[DestinationFunnelView] = []
    for id in ids:
        found = context.delivery.funnel(id, asked.source_id, window, inflow, to_now=to_now)
        shown.append({"destinationConfigId": id, "steps": None if found is None else _destination(found)})
    return answer(
        sideBySide={
            "startTime": timestamp(window.start * MINUTE),
            "endTime": timestamp(window.end * MINUTE),
            "destinations": shown,
        }
    )


@get(
    "/delivery-overview/pending-retry",
    operation_id="getPendingRetryFromDeliveryOverview",
    sync_to_thread=True,
    query=WaitingQuery,
    answer=WaitingAnswer,
)
def get_pending_retry(context: InContext, request: ApiRequest) -> Json:
    """Events that wait for another attempt now, and, of bulk batches, for their first."""
    asked = read_query(request, WaitingQuery)
    _check_destination(context, asked.source_id, asked.destination_config_id)
    groups = grouped(asked.group_by, GROUPS)
    found: Counter[tuple[str, ...]] = Counter()
    for each in context.delivery.ask.waiting(asked.destination_config_id):
        found[tuple(getattr(each, COLUMNS[name]) for name in groups)] += each.count
    return answer(
        total=found.total(),
        dataset=[
            {**dict(zip(groups, key, strict=True)), "total": total} for key, total in found.most_common(1000)
        ],
    )


def _check_destination(context: Context, source_id: str, id: str) -> None:
    """Raises `NotFound`, `Invalid` if it is another source's, `Forbidden`."""
    with context.reading() as session:
        if get_destination(session, context.workspace_id, id).source_id != source_id:
            raise Invalid(f"the destination {id} is connected to another source", field="sourceId")
    context.access.require(Permission.DESTINATION_READ, source_id)


def _source(door: dict[str, int], accepted: int) -> SourceSteps:
    duplicates, failed, filtered = (door.get(name, 0) for name in ("duplicate", "discarded", "filtered"))
    return {
        "received": duplicates + failed + filtered + accepted,
        "duplicates": duplicates,
        "failedOnIngest": failed,
        "filteredAtSource": filtered,
        "accepted": accepted,
    }


def _destination(funnel: Funnel) -> DestinationSteps:
    return {
        "pendingBefore": funnel.pending_before,
        "accepted": funnel.accepted,
        "fannedOut": funnel.fanned_out,
        "redriven": funnel.redriven,
        "notForIt": funnel.not_for_it,
        "filteredAtDestination": funnel.filtered,
        "failedDelivery": funnel.discarded,
        "successfulDelivery": funnel.delivered,
        "deliveredAtOnce": funnel.at_once,
        "pending": funnel.pending,
        "pendingNow": funnel.pending_now,
        "retryingNow": funnel.retrying_now,
    }


ROUTES = [get_funnel, get_side_by_side, get_pending_retry]
