"""Event Delivery (ours): how one destination, or one of its mappings, is doing, and why what failed did
(spec §12.1).

Any window from ten minutes to what the counters are kept for. Counters stand for minutes, and for what is
older than three days for hours, so a window that begins there begins at the hour.
"""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict

import msgspec
from litestar import Router, get
from litestar.handlers import HTTPRouteHandler

from onward.api.answers import Json, timestamp
from onward.api.answers import data as answer
from onward.api.context import ApiRequest, Context, Id, InContext
from onward.api.numbers import DAY, instant
from onward.api.query import read_query
from onward.metering import outcomes
from onward.metering.fates import SAMPLES_KEPT, Sample
from onward.metering.outcomes import Group, Tally, Window
from onward.metering.reasons import REASONS, STEPS, Reason, Step, reason
from onward.pipeline import personal
from onward.workspace import destinations as edit
from onward.workspace.errors import Invalid
from onward.workspace.roles import Permission

MINUTE = 60_000
SHORTEST = 10 * MINUTE
LONGEST = 31 * DAY
"""Ms; counters are kept as long."""
DEFAULT = 24 * 60 * MINUTE


class WindowQuery(msgspec.Struct, rename="camel", kw_only=True):
    start_time: str | None = None
    """Inclusive; without it a day before the end."""
    end_time: str | None = None
    """Exclusive; without it now."""


class EventDeliveryQuery(WindowQuery, kw_only=True):
    subscription_id: str | None = None
    """Of one mapping. What is filtered is filtered before mappings, and belongs to none."""


class SamplesQuery(EventDeliveryQuery, kw_only=True):
    code: str | None = None
    outcome: Literal["retried", "discarded", "filtered"] | None = None


class ReasonView(TypedDict):
    title: str
    explanation: str
    remedy: str


class OutcomesView(TypedDict):
    delivered: int
    notDelivered: int
    """Given up on."""
    filtered: int
    retried: int
    """Attempts that failed and were, or will be, repeated."""
    successRate: float | None
    """Delivered of delivered and not delivered, 0 to 1."""
    firstAttemptRate: float | None
    """The share of the same that arrived at the first attempt."""
    averageAttempts: float | None
    """That the delivered ones took."""
    p95LatencyMs: float | None
    """From receipt to delivery."""


class MomentView(OutcomesView):
    time: str
    """Where the bucket begins."""


class NowView(TypedDict):
    pending: int
    """Of the whole destination."""
    retrying: int
    """Of those pending: the ones that wait for another attempt; with `subscriptionId`, of the mapping."""
    pausedSince: str | None
    """Since when the destination fails as a whole and is only probed."""


class MappingShare(TypedDict):
    subscriptionId: str | None
    """None where the event came to no mapping."""
    count: int


class ErrorView(ReasonView):
    code: str
    outcome: Literal["retried", "discarded", "filtered"]
    count: int
    """Events; of `retried`, attempts."""
    lastSeen: str
    subscriptions: list[MappingShare]


class EventDeliveryView(TypedDict):
    startTime: str
    endTime: str
    bucketMinutes: int
    totals: OutcomesView
    now: NowView
    series: list[MomentView]
    """Of all buckets of the window."""
    errors: list[ErrorView]
    """What was retried or given up on, the most frequent first."""
    filtered: list[ErrorView]


class EventDeliveryAnswer(TypedDict):
    eventDelivery: EventDeliveryView


OUTCOMES: dict[str, Literal["retried", "discarded", "filtered"]] = {
    "retry": "retried",
    "discarded": "discarded",
    "filtered": "filtered",
}


class SampleView(TypedDict):
    time: str
    outcome: Literal["retried", "discarded", "filtered"]
    """Filtered: by an insert function's error."""
    code: str
    message: str
    attempt: int
    messageId: str
    subscriptionId: str | None
    event: dict[str, Any]
    """What came."""
    payload: dict[str, Any]
    """What the mapping made of it."""
    exchanges: list[dict[str, Any]]
    """Requests that were sent and answers to them, `{"request", "response", "error", "durationMs"}` each,
    as of batches: the whole of it."""
    trace: NotRequired[Any]
    """What a function's run left behind."""


class SamplesAnswer(TypedDict):
    samples: list[SampleView]


class CodeView(ReasonView):
    code: str


class ReasonsAnswer(TypedDict):
    reasons: dict[Step, list[CodeView]]
    """By the step at which events end: `ingest`, `source`, `destination` (filtered), `delivery`."""


@get(
    "/event-delivery",
    operation_id="getEventDeliveryFromDestination",
    sync_to_thread=True,
    query=EventDeliveryQuery,
    answer=EventDeliveryAnswer,
)
def get_event_delivery(context: InContext, request: ApiRequest, destination_id: Id) -> Json:
    """How a destination is doing: totals, trend, latency, attempts, and errors with what to do about them."""
    asked = read_query(request, EventDeliveryQuery)
    source_id = _source_of(context, destination_id)
    window = windowed(asked, context.store.now())
    ask = context.delivery.ask
    series = ask.series(destination_id, window, asked.subscription_id)
    groups = ask.groups(destination_id, window, asked.subscription_id)
    books = context.delivery.books(destination_id, source_id)
    retrying = books.retrying
    if asked.subscription_id is not None:
        retrying = sum(
            each.count
            for each in ask.waiting(destination_id)
            if each.subscription_id == asked.subscription_id and each.code  # else it waits to be sent first
        )
    paused = books.paused_since
    return answer(
        eventDelivery={
            "startTime": timestamp(window.start * MINUTE),
            "endTime": timestamp(window.end * MINUTE),
            "bucketMinutes": window.bucket,
            "totals": outcomes_view(series.total),
            "now": {
                "pending": books.pending,
                "retrying": retrying,
                "pausedSince": None if paused is None else timestamp(int(paused * 1000)),
            },
            "series": [
                {"time": timestamp(at * MINUTE), **outcomes_view(point)}
                for at, point in sorted(series.points.items())
            ],
            "errors": _errors([each for each in groups if each.outcome != "filtered"]),
            "filtered": _errors([each for each in groups if each.outcome == "filtered"]),
        }
    )


@get(
    "/delivery-samples",
    operation_id="listDeliverySamplesFromDestination",
    sync_to_thread=True,
    query=SamplesQuery,
    answer=SamplesAnswer,
)
def list_samples(context: InContext, request: ApiRequest, destination_id: Id) -> Json:
    """The last few failures, with the event, the request that was sent and the answer to it.

    Of each mapping, outcome and code the first three are kept, then one every ten seconds, the newest ten.
    Secrets are masked before anything is kept, personal data for those who may not see it.
    """
    asked = read_query(request, SamplesQuery)
    source_id = _source_of(context, destination_id)
    unmasked = context.access.to(Permission.PII_READ, source_id)
    window = windowed(asked, context.store.now())
    found = context.delivery.ask.samples(
        destination_id,
        window.start * MINUTE,
        window.end * MINUTE,
        code=asked.code,
        outcome="retry" if asked.outcome == "retried" else asked.outcome,
        subscription_id=asked.subscription_id,
        limit=SAMPLES_KEPT,
    )
    return answer(samples=[sample_view(each, unmasked) for each in found])


@get(
    "/delivery-overview/reasons",
    operation_id="listDeliveryReasons",
    sync_to_thread=False,
    answer=ReasonsAnswer,
)
def list_reasons() -> Json:
    """Why events end on the way, by step and code, with what to do about it."""
    return answer(
        reasons={
            step: [{"code": code, **reason_view(known)} for code, known in REASONS[step].items()]
            for step in STEPS
        }
    )


def windowed(asked: WindowQuery, now: int, points: int = outcomes.POINTS) -> Window:
    """Raises `Invalid`."""
    end = now if asked.end_time is None else instant(asked.end_time, "endTime")
    start = end - DEFAULT if asked.start_time is None else instant(asked.start_time, "startTime")
    if start >= end:
        raise Invalid("this must be after startTime", field="endTime")
    if end - start < SHORTEST:
        raise Invalid("a window has at least 10 minutes", field="startTime")
    if start < now - LONGEST - MINUTE:
        raise Invalid("counters are kept for 31 days", field="startTime")
    return outcomes.window(start, min(end, now + DAY), now, points)


def outcomes_view(tally: Tally) -> OutcomesView:
    return {
        "delivered": tally.delivered,
        "notDelivered": tally.discarded,
        "filtered": tally.filtered,
        "retried": tally.retried,
        "successRate": tally.success_rate,
        "firstAttemptRate": tally.first_attempt_rate,
        "averageAttempts": tally.average_attempts,
        "p95LatencyMs": tally.p95,
    }


def reason_view(known: Reason) -> ReasonView:
    return {"title": known.title, "explanation": known.happened, "remedy": known.remedy}


def sample_view(sample: Sample, unmasked: bool) -> SampleView:
    def shown(value: Any) -> Any:
        return value if unmasked else personal.masked(value)

    view: SampleView = {
        "time": timestamp(sample.at),
        "outcome": OUTCOMES[sample.outcome],
        "code": sample.code,
        "message": sample.message if unmasked else personal.text(sample.message),
        "attempt": sample.attempt,
        "messageId": sample.message_id,
        "subscriptionId": sample.subscription_id or None,
        "event": shown(sample.event),
        "payload": shown(sample.payload),
        "exchanges": exchanges_view(sample, unmasked),
    }
    if sample.trace is not None:
        view["trace"] = shown(sample.trace)
    return view


def exchanges_view(sample: Sample, unmasked: bool) -> list[dict[str, Any]]:
    return sample.exchanges if unmasked else [_masked(each) for each in sample.exchanges]


def _masked(exchange: Mapping[str, Any]) -> dict[str, Any]:
    """An exchange without what is personal: in the address, the headers and the bodies."""
    shown: dict[str, Any] = {**exchange}
    for name in ("request", "response"):
        if (part := exchange.get(name)) is not None:
            shown[name] = {**personal.masked(part), "body": personal.document(part["body"])}
    address, query, _ = exchange["request"]["url"].partition("?")
    shown["request"]["url"] = personal.text(address) + (f"?{personal.MASK}" if query else "")
    return shown


def _errors(groups: list[Group]) -> list[ErrorView]:
    """By outcome and code over all mappings."""
    found: dict[tuple[str, str], ErrorView] = {}
    for each in groups:
        view = found.get((each.outcome, each.code))
        if view is None:
            step: Step = "destination" if each.outcome == "filtered" else "delivery"
            view = found[each.outcome, each.code] = {
                **reason_view(reason(step, each.code)),
                "code": each.code,
                "outcome": each.outcome,  # type: ignore[typeddict-item]  # the question names the three
                "count": 0,
                "lastSeen": "",
                "subscriptions": [],
            }
        view["count"] += each.count
        view["lastSeen"] = max(view["lastSeen"], timestamp(each.last_at))
        view["subscriptions"].append({"subscriptionId": each.subscription_id or None, "count": each.count})
    return sorted(found.values(), key=lambda view: (-view["count"], view["code"]))


def _source_of(context: Context, destination_id: str) -> str:
    with context.reading() as session:
        return edit.get_destination(session, context.workspace_id, destination_id).source_id


ROUTES: list[HTTPRouteHandler | Router] = [
    list_reasons,
    Router("/destinations/{destination_id:str}", route_handlers=[get_event_delivery, list_samples]),
]
