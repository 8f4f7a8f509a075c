"""What operations that count have in common: where the counters are, times, ranges, series (spec §12.3)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NotRequired, Protocol, TypedDict

from onward.api.answers import Json, pagination, position, timestamp
from onward.api.answers import data as answer
from onward.api.context import ApiRequest, Paging
from onward.metering.query import COLUMNS, NONE, Question, Series, Totals
from onward.metering.store import UsageStore
from onward.workspace.errors import Invalid

HOUR = 3_600_000
DAY = 24 * HOUR
Granularity = Literal["DAY", "HOUR", "MINUTE", "day", "hour", "minute"]
BUCKETS = {"MINUTE": 1, "HOUR": 60, "DAY": 24 * 60}
"""Minutes."""
Ranges = Mapping[str, tuple[int, int]]
"""By granularity: the longest range, and how long ago it may begin; ms."""
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


class Failed(Protocol):
    """Events that the front door discarded (`onward.tracking.ledger.LedgerReader.failed`)."""

    def __call__(
        self, source_id: str, codes: Sequence[str], question: Question, *, other: bool
    ) -> Totals: ...


class Door(Protocol):
    """Events of a source by what the front door did with them, of the minutes that begin within [start, end)
    in ms (`onward.tracking.ledger.LedgerReader.outcomes`)."""

    def __call__(self, source_id: str, since: int, until: int) -> dict[str, int]: ...


class Refused(Protocol):
    """By source the events that the front door discarded in the minutes that begin within [since, until), in
    ms (`onward.tracking.ledger.LedgerReader.refused`)."""

    def __call__(self, since: int, until: int) -> dict[str, int]: ...


def nothing_came(source_id: str, since: int, until: int) -> dict[str, int]:
    return {}


def nothing_refused(since: int, until: int) -> dict[str, int]:
    return {}


def nothing_failed(source_id: str, codes: Sequence[str], question: Question, *, other: bool) -> Totals:
    return NONE


@dataclass(frozen=True)
class Numbers:
    """Where the counters are."""

    usage: UsageStore
    failed: Failed
    counters: Callable[[str, str, Question], Totals]
    """Of a destination: its id, the outcome, the question (`onward.delivery.report.DeliveryReport`)."""
    door: Door = nothing_came
    refused: Refused = nothing_refused


def numbers(request: ApiRequest) -> Numbers:
    found: Numbers = request.app.state.numbers
    return found


class Point(TypedDict):
    time: str
    """Where the bucket begins. Those in which nothing was counted are left out."""
    count: int
    retryCount: NotRequired[int]
    """Ours in events volume: of those delivered, how many not at the first attempt."""


def instant(text: str, field: str) -> int:
    """Milliseconds since the epoch; raises `Invalid`. A time without a zone is UTC."""
    try:
        at = datetime.fromisoformat(text)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        if at < EARLIEST:
            raise ValueError
        return int(at.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Invalid("this must be a time in ISO 8601, such as 2030-01-31T12:00:00Z", field=field) from None


def span(start: str, end: str, granularity: str, ranges: Ranges, now: int) -> tuple[int, int]:
    """`(start, end)` in ms; raises `Invalid` where the granularity does not allow it."""
    begin, stop = instant(start, "startTime"), instant(end, "endTime")
    name = granularity.upper()
    longest, oldest = ranges[name]
    if begin >= stop:
        raise Invalid("this must be after startTime", field="endTime")
    if stop - begin > longest:
        raise Invalid(f"by {name}, a range has at most {_length(longest)}", field="endTime")
    # Who asks for the last 30 days has worked that out a moment ago.
    if begin < now - oldest - BUCKETS[name] * 60_000:
        raise Invalid(f"by {name}, this may be at most {_length(oldest)} ago", field="startTime")
    return begin, stop


def grouped(groups: Sequence[str], allowed: Sequence[str]) -> tuple[str, ...]:
    """The dimensions to group by, each once; raises `Invalid`."""
    for each in groups:
        if each not in allowed or each not in COLUMNS:
            raise Invalid(f"this is none of {', '.join(allowed)}: {each}", field="groupBy")
    return tuple(dict.fromkeys(groups))


def paged_series(
    found: Totals, paging: Paging, list: str, show: Callable[[Series], Any], name: str, **more: Any
) -> Json:
    """A page of series, by position: what is counted meanwhile may move them."""
    start, cursors = position(paging, list)
    end = start + paging.count
    pages = pagination(
        cursors(start),
        cursors(end) if end < found.groups else None,
        cursors(max(0, start - paging.count)) if start > 0 else None,
        found.groups,
    )
    return answer(**more, **{name: [show(each) for each in found.series]}, pagination=pages)


def points(series: Series, *, retries: bool = False) -> list[Point]:
    shown: list[Point] = []
    for point in series.points:
        each: Point = {"time": timestamp(point.at), "count": point.count}
        if retries:
            each["retryCount"] = point.retried
        shown.append(each)
    return shown


def _length(ms: int) -> str:
    return f"{ms // DAY} days" if ms >= 3 * DAY else f"{ms // HOUR} hours"
