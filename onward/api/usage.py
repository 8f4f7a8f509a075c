"""How much comes in: events over time, and API calls and tracked users by day (spec §17.3, §17.5)."""

from collections.abc import Sequence
from typing import Any, Literal, NotRequired, TypedDict

import msgspec
from litestar import get
from sqlalchemy import select

from onward.api.answers import Json, Pagination, numbered_page, position, timestamp
from onward.api.context import ApiRequest, Context, InContext, Pages, Paging
from onward.api.numbers import (
    BUCKETS,
    DAY,
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
from onward.metering.query import Question, Series
from onward.metering.store import People, day_of, last_day_of, month_of
from onward.workspace.entities import Source
from onward.workspace.errors import NotFound
from onward.workspace.roles import Permission

RANGES: Ranges = {"MINUTE": (3 * DAY, 3 * DAY), "HOUR": (31 * DAY, 31 * DAY), "DAY": (400 * DAY, 400 * DAY)}
"""As long as volume is kept by each."""
VOLUME = "events volume"
DIMENSIONS = ("eventName", "eventType", "source")
NOBODY = People(0, 0, 0, 0)


class VolumeQuery(msgspec.Struct, rename="camel", kw_only=True):
    granularity: Granularity
    """MINUTE: the last 3 days. HOUR: the last 31. DAY: the last 400."""
    start_time: str
    """ISO 8601; inclusive."""
    end_time: str
    """ISO 8601; exclusive."""
    group_by: list[str] = msgspec.field(default_factory=list)
    """Of `eventName`, `eventType` and `source`."""
    source_id: list[str] = msgspec.field(default_factory=list)
    event_name: list[str] = msgspec.field(default_factory=list)
    event_type: list[str] = msgspec.field(default_factory=list)
    app_version: list[str] = msgspec.field(default_factory=list)


class PeriodQuery(msgspec.Struct, rename="camel"):
    period: str
    """ISO 8601; the month (UTC) that it lies in."""


class EventSource(TypedDict):
    id: str
    name: str
    slug: str


class SourceVolume(TypedDict):
    source: NotRequired[EventSource]
    eventName: NotRequired[str]
    eventType: NotRequired[str]
    total: int
    series: list[Point]


class AskedVolume(TypedDict):
    workspaceId: str
    granularity: Literal["DAY", "HOUR", "MINUTE"]
    startTime: str
    endTime: str
    groupBy: list[str]
    sourceId: list[str]
    eventName: list[str]
    eventType: list[str]
    appVersion: list[str]
    limit: int


class VolumeAnswer(TypedDict):
    path: str
    query: AskedVolume
    result: list[SourceVolume]
    pagination: Pagination


class CallsView(TypedDict):
    apiCalls: str
    """Events taken since the month began: each event of a batch is a call."""
    timestamp: str
    """The day."""


class SourceCallsView(CallsView):
    sourceId: str


class CallsAnswer(TypedDict):
    dailyWorkspaceAPICallsUsage: list[CallsView]
    pagination: Pagination


class SourceCallsAnswer(TypedDict):
    dailyPerSourceAPICallsUsage: list[SourceCallsView]
    pagination: Pagination


class UsersView(TypedDict):
    """Different ids since the month began, estimated: to within 0.8 % as a rule, 2.5 % at most."""

    periodStart: int
    """Seconds since the epoch."""
    periodEnd: int
    anonymous: str
    """Anonymous ids."""
    anonymousIdentified: str
    """Anonymous ids that came with a user id, at least once."""
    identified: str
    """User ids."""
    neverIdentified: str
    """Anonymous ids that never did."""
    timestamp: str
    """The day."""


class SourceUsersView(UsersView):
    sourceId: str


class UsersAnswer(TypedDict):
    dailyWorkspaceMTUUsage: list[UsersView]
    pagination: Pagination


class SourceUsersAnswer(TypedDict):
    dailyPerSourceMTUUsage: list[SourceUsersView]
    pagination: Pagination


@get(
    "/events/volume",
    operation_id="getEventsVolumeFromWorkspace",
    sync_to_thread=True,
    query=VolumeQuery,
    answer=VolumeAnswer,
)
def get_volume(context: InContext, request: ApiRequest, paging: Pages) -> Json:
    """Events that were taken, over time: of all sources that the caller may see, or those named."""
    asked = read_query(request, VolumeQuery)
    start, end = span(asked.start_time, asked.end_time, asked.granularity, RANGES, context.store.now())
    sources = _sources(context, asked.source_id)
    wanted = {"eventName": asked.event_name, "eventType": asked.event_type, "appVersion": asked.app_version}
    question = Question(
        start=start,
        end=end,
        bucket=BUCKETS[asked.granularity.upper()],
        groups=grouped(asked.group_by, DIMENSIONS),
        where={name: values for name, values in wanted.items() if values},
        offset=position(paging, VOLUME)[0],
        limit=paging.count,
    )

    def show(series: Series) -> Json:
        group: dict[str, Any] = dict(series.group)
        if "source" in group:
            group["source"] = sources[group["source"]]
        return {**group, "total": series.total, "series": points(series)}

    return paged_series(
        numbers(request).usage.volume(list(sources), question),
        paging,
        VOLUME,
        show,
        "result",
        path="/events/volume",
        query={
            "workspaceId": context.workspace_id,
            "granularity": asked.granularity.upper(),
            "startTime": timestamp(start),
            "endTime": timestamp(end),
            "groupBy": asked.group_by,
            "sourceId": asked.source_id,
            "eventName": asked.event_name,
            "eventType": asked.event_type,
            "appVersion": asked.app_version,
            "limit": paging.count,
        },
    )


@get(
    "/usage/api-calls/daily",
    operation_id="getDailyWorkspaceAPICallsUsage",
    sync_to_thread=True,
    query=PeriodQuery,
    answer=CallsAnswer,
)
def get_calls(context: InContext, request: ApiRequest, paging: Pages) -> Json:
    """Events taken by the workspace, day by day, added up from the beginning of the month."""
    return _calls(context, request, paging, None, "dailyWorkspaceAPICallsUsage")


@get(
    "/usage/api-calls/sources/daily",
    operation_id="getDailyPerSourceAPICallsUsage",
    sync_to_thread=True,
    query=PeriodQuery,
    answer=SourceCallsAnswer,
)
def get_source_calls(context: InContext, request: ApiRequest, paging: Pages) -> Json:
    """The same for each source."""
    sources = list(_sources(context, []))
    return _calls(context, request, paging, sources, "dailyPerSourceAPICallsUsage")


@get(
    "/usage/mtu/daily",
    operation_id="getDailyWorkspaceMTUUsage",
    sync_to_thread=True,
    query=PeriodQuery,
    answer=UsersAnswer,
)
def get_users(context: InContext, request: ApiRequest, paging: Pages) -> Json:
    """Monthly tracked users of the workspace, day by day: who came through several sources counts once."""
    return _users(context, request, paging, None, "dailyWorkspaceMTUUsage")


@get(
    "/usage/mtu/sources/daily",
    operation_id="getDailyPerSourceMTUUsage",
    sync_to_thread=True,
    query=PeriodQuery,
    answer=SourceUsersAnswer,
)
def get_source_users(context: InContext, request: ApiRequest, paging: Pages) -> Json:
    """The same for each source."""
    return _users(context, request, paging, list(_sources(context, [])), "dailyPerSourceMTUUsage")


def _calls(
    context: Context, request: ApiRequest, paging: Paging, sources: Sequence[str] | None, name: str
) -> Json:
    """`sources`: None for the workspace as such."""
    context.access.require_everywhere(Permission.USAGE_READ)
    days = _days(context, request)
    scopes = [context.workspace_id] if sources is None else sources
    found = numbers(request).usage.calls(scopes, days.start, max(days.start, days.stop - 1))
    items = []
    for scope, calls in found.items():
        by_day = {each.day: each.count for each in calls}
        total = 0
        for day in days:
            total += by_day.get(day, 0)
            items.append(_dated({"apiCalls": str(total)}, day, None if sources is None else scope))
    return _page(items, name, paging)


def _users(
    context: Context, request: ApiRequest, paging: Paging, sources: Sequence[str] | None, name: str
) -> Json:
    context.access.require_everywhere(Permission.USAGE_READ)
    days = _days(context, request)
    scopes = [context.workspace_id] if sources is None else sources
    found = numbers(request).usage.people(scopes, days.start, max(days.start, days.stop - 1))
    items = []
    for scope, people in found.items():
        by_day = {each.day: each for each in people}
        last = NOBODY
        for day in days:
            last = by_day.get(day, last)
            items.append(_dated(_counted(last, days.start), day, None if sources is None else scope))
    return _page(items, name, paging)


def _counted(people: People, month: int) -> Json:
    return {
        "periodStart": month * DAY // 1000,
        "periodEnd": (last_day_of(month) + 1) * DAY // 1000,
        "anonymous": str(people.anonymous),
        "anonymousIdentified": str(people.anonymous_identified),
        "identified": str(people.identified),
        # Both are estimates, so the difference may be less than nothing.
        "neverIdentified": str(max(0, people.anonymous - people.anonymous_identified)),
    }


def _dated(view: Json, day: int, source_id: str | None) -> Json:
    dated = view | {"timestamp": timestamp(day * DAY)}
    return dated if source_id is None else {"sourceId": source_id, **dated}


def _page(items: list[Json], name: str, paging: Paging) -> Json:
    start, cursors = position(paging, name)
    return numbered_page(items, name, paging.count, start, cursors, lambda item: item)


def _days(context: Context, request: ApiRequest) -> range:
    """The days of the month that was asked for, as far as they have begun."""
    month = month_of(day_of(instant(read_query(request, PeriodQuery).period, "period")))
    return range(month, min(last_day_of(month), day_of(context.store.now())) + 1)


def _sources(context: Context, wanted: Sequence[str]) -> dict[str, EventSource]:
    """Those of the workspace that the caller may see, or of them those wanted. Raises `NotFound`,
    `Forbidden`."""
    with context.reading() as session:
        query = select(Source.id, Source.name, Source.slug).where(Source.workspace_id == context.workspace_id)
        query = query.order_by(Source.created_at, Source.id)
        found: dict[str, EventSource] = {
            row.id: {"id": row.id, "name": row.name, "slug": row.slug} for row in session.execute(query)
        }
    for id in wanted:
        if id not in found:
            raise NotFound(f"there is no source {id}")
        context.access.require(Permission.SOURCE_READ, id)
    ids = context.access.ids(Permission.SOURCE_READ)
    return {
        id: source
        for id, source in found.items()
        if (ids is None or id in ids) and (not wanted or id in wanted)
    }


ROUTES = [get_volume, get_calls, get_source_calls, get_users, get_source_users]
