"""What functions use, and their quotas (spec §10.12)."""

from typing import TypedDict

import msgspec
from litestar import get
from sqlalchemy import select

from onward.api.answers import Json, timestamp
from onward.api.answers import data as answer
from onward.api.context import ApiRequest, InContext
from onward.api.numbers import instant
from onward.api.query import read_query
from onward.metering.functions import HOUR, FunctionStore, Spent
from onward.metering.store import at, day_of, month_of
from onward.workspace.entities import Function


class UsageQuery(msgspec.Struct, rename="camel"):
    period: str | None = None
    """ISO 8601; the month (UTC) that it lies in. Now unless given."""


class Usage(TypedDict):
    invocations: int
    wallMs: float
    """What counts: from calling a handler to its end, retries included."""
    cpuMs: float
    limitHours: float | None
    """Null for no limit."""
    percent: float | None
    """Of the limit."""
    lockedOut: bool


class FunctionUsage(Usage):
    functionId: str
    displayName: str | None
    """Null if there is no such function any more."""


class Reached(TypedDict):
    functionId: str | None
    """Null if it is the workspace's quota."""
    percent: int
    limitHours: float
    reachedAt: str


class FunctionsUsage(TypedDict):
    month: str
    workspace: Usage
    functions: list[FunctionUsage]
    """Those that were used the most come first."""
    reached: list[Reached]
    """When 75, 90 and 100 % were."""


class FunctionsUsageAnswer(TypedDict):
    usage: FunctionsUsage


@get(
    "/usage/functions",
    operation_id="getFunctionsUsage",
    sync_to_thread=True,
    query=UsageQuery,
    answer=FunctionsUsageAnswer,
    tag="Functions",
)
def get_usage(context: InContext, request: ApiRequest) -> Json:
    """What the functions of the workspace have used in a month, and what they may."""
    period = read_query(request, UsageQuery).period
    now = context.store.now()
    month = month_of(day_of(instant(period, "period") if period is not None else now))
    current = month == month_of(day_of(now))
    books: FunctionStore = request.app.state.function_books
    totals = books.totals(month, context.workspace_id)
    with context.reading() as session:
        query = select(Function).where(Function.workspace_id == context.workspace_id)
        functions = {each.id: each for each in session.scalars(query)}
        limits = {id: each.monthly_hours for id, each in functions.items()}
        names = {id: each.name for id, each in functions.items()}
    whole = Spent()
    for spent in totals.values():
        whole.add(spent)
    used = sorted(totals.items(), key=lambda each: -each[1].wall_ms)
    return answer(
        usage={
            "month": at(month).strftime("%Y-%m"),
            "workspace": _usage(whole, request.app.state.settings.function_hours, current),
            "functions": [
                {"functionId": id, "displayName": names.get(id)} | _usage(spent, limits.get(id), current)
                for (_, id), spent in used
            ],
            "reached": [
                {
                    "functionId": each.function_id or None,
                    "percent": each.percent,
                    "limitHours": each.limit_ms / HOUR,
                    "reachedAt": timestamp(each.at),
                }
                for each in books.crossings(context.workspace_id, month)
            ],
        }
    )


def _usage(spent: Spent, limit: float | None, current: bool) -> Usage:
    share = None if limit is None else spent.wall_ms / HOUR / limit * 100 if limit else 100.0
    return {
        "invocations": spent.invocations,
        "wallMs": round(spent.wall_ms, 1),
        "cpuMs": round(spent.cpu_ms, 1),
        "limitHours": limit,
        "percent": None if share is None else round(share, 2),
        "lockedOut": current and share is not None and share >= 100,
    }


ROUTES = [get_usage]
