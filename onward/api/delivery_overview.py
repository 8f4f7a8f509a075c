"""Delivery Overview: what became of events at each step, over time (spec §12.2, §12.3).

    successfully received: counted from the event log, by time of receipt
    failed on ingest, filtered at source: what the front door discarded
    filtered at destination, failed delivery, successful delivery: outcomes, by the time of the outcome

So what was sent to a source is received + failed on ingest + filtered at source (and duplicates, which no
step tells), and what was received is, for each destination, filtered + failed + successful + pending; an
event that matched two mappings counts twice there.
"""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import msgspec
from litestar import get

from onward.api.answers import Json, Pagination, position, timestamp
from onward.api.answers import data as answer
from onward.api.context import ApiRequest, Context, Id, InContext, Pages, Paging
from onward.api.function_entries import entry_definition
from onward.api.numbers import (
    BUCKETS,
    DAY,
    HOUR,
    Granularity,
    Point,
    Ranges,
    grouped,
    instant,
    numbers,
    paged_series,
    points,
    span,
)
from onward.api.query import read_query
from onward.metering.query import Question, Series, Totals
from onward.pipeline.governance import FILTERED_AT_SOURCE
from onward.workspace.definitions import Definition
from onward.workspace.destinations import get_destination
from onward.workspace.entities import Destination
from onward.workspace.errors import Invalid
from onward.workspace.roles import Permission
from onward.workspace.sources import get_source

RANGES: Ranges = {"MINUTE": (4 * HOUR, 48 * HOUR), "HOUR": (14 * DAY, 30 * DAY), "DAY": (30 * DAY, 30 * DAY)}
SUMMARY_RANGES: Ranges = {
    "MINUTE": (4 * HOUR, 48 * HOUR),
    "HOUR": (7 * DAY, 7 * DAY),
    "DAY": (30 * DAY, 30 * DAY),
}
SUMMARY_STARTS = {"MINUTE": HOUR, "HOUR": 7 * DAY, "DAY": 30 * DAY}
"""How long before the end a summary begins if nothing is said."""
ABOUT = ("eventName", "eventType", "appVersion")
WITH_REASON = (*ABOUT, "discardReason")
AT_DESTINATION = (*WITH_REASON, "subscriptionId")


class ReceivedQuery(msgspec.Struct, rename="camel", kw_only=True):
    source_id: str
    start_time: str
    """ISO 8601; inclusive."""
    end_time: str
    """ISO 8601; exclusive."""
    granularity: Granularity
    """MINUTE: up to 4 hours of the last 48. HOUR: up to 14 days of the last 30. DAY: the last 30 days."""
    group_by: list[str] = msgspec.field(default_factory=list)
    """Of `eventName`, `eventType`, `appVersion`; but for what was received also `discardReason`, and at a
    destination `subscriptionId`."""
    event_name: list[str] = msgspec.field(name="filter[eventName]", default_factory=list)
    event_type: list[str] = msgspec.field(name="filter[eventType]", default_factory=list)
    app_version: list[str] = msgspec.field(name="filter[appVersion]", default_factory=list)


class SourceQuery(ReceivedQuery, rename="camel", kw_only=True):
    discard_reason: list[str] = msgspec.field(name="filter[discardReason]", default_factory=list)


class DestinationQuery(SourceQuery, rename="camel", kw_only=True):
    destination_config_id: str
    """Id of the destination."""
    subscription_id: str | None = None


class SummaryQuery(msgspec.Struct, rename="camel", kw_only=True):
    source_id: str
    start_time: str | None = None
    """Without it an hour before the end by MINUTE, 7 days by HOUR, 30 days by DAY."""
    end_time: str | None = None
    """Without it: now."""
    granularity: Granularity = "MINUTE"


class Dataset(TypedDict):
    eventName: NotRequired[str]
    eventType: NotRequired[str]
    appVersion: NotRequired[str]
    discardReason: NotRequired[str]
    """For what was delivered: `successes.attempt.1`, `successes.attempt.2`, …"""
    subscriptionId: NotRequired[str]
    """Ours."""
    total: int
    totalRetryCount: NotRequired[int]
    series: list[Point]


class OverviewAnswer(TypedDict):
    total: int
    """Of all groups, also those of other pages."""
    dataset: list[Dataset]
    """The largest first."""
    pagination: Pagination


class Breakdown(TypedDict):
    metricName: str
    value: int


class Metric(TypedDict):
    metricName: str
    """`successes` (by attempt), `retried` (attempts that were repeated), `filtered` and `discarded` (by
    reason)."""
    total: int
    breakdown: list[Breakdown]


class Summary(TypedDict):
    sourceId: str
    destinationMetadataId: str
    metrics: list[Metric]


class SummaryAnswer(TypedDict):
    deliveryMetricsSummary: Summary


@get(
    "/delivery-overview/successfully-received",
    operation_id="getIngressSuccessMetricsFromDeliveryOverview",
    sync_to_thread=True,
    query=ReceivedQuery,
    answer=OverviewAnswer,
)
def get_received(context: InContext, request: ApiRequest, paging: Pages) -> Json:
    """Events that the source took and that are owed to its destinations. Some seconds behind."""
    asked = read_query(request, ReceivedQuery)
    question = _of_source(context, asked, paging, ABOUT, {}, "received")
    return _answer(numbers(request).usage.volume([asked.source_id], question), question, paging, "received")


@get(
    "/delivery-overview/failed-on-ingest",
    operation_id="getIngressFailedMetricsFromDeliveryOverview",
    sync_to_thread=True,
    query=SourceQuery,
    answer=OverviewAnswer,
)
def get_failed_on_ingest(context: InContext, request: ApiRequest, paging: Pages) -> Json:
    """Events that were answered 200 and discarded, with the reason."""
    return _at_the_door(context, request, paging, "failed on ingest", other=True)


@get(
    "/delivery-overview/filtered-at-source",
    operation_id="getFilteredAtSourceMetricsFromDeliveryOverview",
    sync_to_thread=True,
    query=SourceQuery,
    answer=OverviewAnswer,
)
def get_filtered_at_source(context: InContext, request: ApiRequest, paging: Pages) -> Json:
    """Events that the schema or the tracking plan of the source blocked."""
    return _at_the_door(context, request, paging, "filtered at source", other=False)


@get(
    "/delivery-overview/filtered-at-destination",
    operation_id="getFilteredAtDestinationMetricsFromDeliveryOverview",
    sync_to_thread=True,
    query=DestinationQuery,
    answer=OverviewAnswer,
)
def get_filtered_at_destination(context: InContext, request: ApiRequest, paging: Pages) -> Json:
    """Events that the destination was not to get: by filters, triggers, the integrations object, …"""
    return _at_destination(context, request, paging, "filtered")


@get(
    "/delivery-overview/failed-delivery",
    operation_id="getEgressFailedMetricsFromDeliveryOverview",
    sync_to_thread=True,
    query=DestinationQuery,
    answer=OverviewAnswer,
)
def get_failed_delivery(context: InContext, request: ApiRequest, paging: Pages) -> Json:
    """Events that were given up on. What will be tried again is not among them."""
    return _at_destination(context, request, paging, "discarded")


@get(
    "/delivery-overview/successful-delivery",
    operation_id="getEgressSuccessMetricsFromDeliveryOverview",
    sync_to_thread=True,
    query=DestinationQuery,
    answer=OverviewAnswer,
)
def get_successful_delivery(context: InContext, request: ApiRequest, paging: Pages) -> Json:
    """Events that arrived; `discardReason` tells at which attempt."""
    return _at_destination(context, request, paging, "delivered")


@get(
    "/destinations/{destination_id:str}/delivery-metrics",
    operation_id="listDeliveryMetricsSummaryFromDestination",
    sync_to_thread=True,
    query=SummaryQuery,
    answer=SummaryAnswer,
)
def get_delivery_metrics(context: InContext, request: ApiRequest, destination_id: Id) -> Json:
    """Totals of a destination by outcome and reason."""
    asked = read_query(request, SummaryQuery)
    destination, definition = _destination(context, asked.source_id, destination_id)
    now = context.store.now()
    end = now if asked.end_time is None else instant(asked.end_time, "endTime")
    start = end - SUMMARY_STARTS[asked.granularity.upper()]
    first, last = span(
        asked.start_time or timestamp(start),
        asked.end_time or timestamp(end),
        asked.granularity,
        SUMMARY_RANGES,
        now,
    )
    question = Question(start=first, end=last, bucket=BUCKETS["DAY"], groups=("discardReason",))
    counters = numbers(request).counters
    metrics: list[Metric] = [
        _metric(name, counters(destination.id, outcome, question))
        for name, outcome in (
            ("successes", "delivered"),
            ("retried", "retried"),
            ("filtered", "filtered"),
            ("discarded", "discarded"),
        )
    ]
    return answer(
        deliveryMetricsSummary={
            "sourceId": destination.source_id,
            "destinationMetadataId": definition.id,
            "metrics": metrics,
        }
    )


def _at_the_door(context: Context, request: ApiRequest, paging: Paging, step: str, *, other: bool) -> Json:
    asked = read_query(request, SourceQuery)
    where = {"discardReason": asked.discard_reason}
    question = _of_source(context, asked, paging, WITH_REASON, where, step)
    found = numbers(request).failed(asked.source_id, tuple(FILTERED_AT_SOURCE), question, other=other)
    return _answer(found, question, paging, step)


def _at_destination(context: Context, request: ApiRequest, paging: Paging, outcome: str) -> Json:
    asked = read_query(request, DestinationQuery)
    _destination(context, asked.source_id, asked.destination_config_id)
    where = {"discardReason": asked.discard_reason}
    if asked.subscription_id is not None:
        where["subscriptionId"] = [asked.subscription_id]
    question = _question(context, asked, paging, AT_DESTINATION, where, outcome)
    found = numbers(request).counters(asked.destination_config_id, outcome, question)
    return _answer(found, question, paging, outcome, retries=outcome == "delivered")


def _of_source(
    context: Context,
    asked: ReceivedQuery,
    paging: Paging,
    dimensions: Sequence[str],
    where: Mapping[str, Sequence[str]],
    step: str,
) -> Question:
    with context.reading() as session:
        get_source(session, context.workspace_id, asked.source_id)
    context.access.require(Permission.SOURCE_READ, asked.source_id)
    return _question(context, asked, paging, dimensions, where, step)


def _question(
    context: Context,
    asked: ReceivedQuery,
    paging: Paging,
    dimensions: Sequence[str],
    where: Mapping[str, Sequence[str]],
    step: str,
) -> Question:
    start, end = span(asked.start_time, asked.end_time, asked.granularity, RANGES, context.store.now())
    wanted = {
        "eventName": asked.event_name,
        "eventType": asked.event_type,
        "appVersion": asked.app_version,
        **where,
    }
    return Question(
        start=start,
        end=end,
        bucket=BUCKETS[asked.granularity.upper()],
        groups=grouped(asked.group_by, dimensions),
        where={name: values for name, values in wanted.items() if values},
        offset=position(paging, step)[0],
        limit=paging.count,
    )


def _answer(found: Totals, question: Question, paging: Paging, step: str, *, retries: bool = False) -> Json:
    if not found.series and not question.groups:
        found = Totals(0, 1, [Series({}, 0, 0, [])])

    def show(series: Series) -> Json:
        retried = {"totalRetryCount": series.retried} if retries else {}
        return {
            **series.group,
            "total": series.total,
            **retried,
            "series": points(series, retries=retries),
        }

    return paged_series(found, paging, step, show, "dataset", total=found.total)


def _destination(context: Context, source_id: str, id: str) -> tuple[Destination, Definition]:
    """Raises `NotFound`, `Invalid` if it is another source's, `Forbidden`."""
    with context.reading() as session:
        destination = get_destination(session, context.workspace_id, id)
        if destination.source_id != source_id:
            raise Invalid(f"the destination {id} is connected to another source", field="sourceId")
        definition = entry_definition(context, destination)
    context.access.require(Permission.DESTINATION_READ, source_id)
    return destination, definition


def _metric(name: str, found: Totals) -> Metric:
    breakdown: list[Breakdown] = [
        {"metricName": each.group["discardReason"], "value": each.total} for each in found.series
    ]
    return {"metricName": name, "total": found.total, "breakdown": breakdown}


ROUTES = [
    get_received,
    get_failed_on_ingest,
    get_filtered_at_source,
    get_filtered_at_destination,
    get_failed_delivery,
    get_successful_delivery,
    get_delivery_metrics,
]
