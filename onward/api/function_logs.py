"""What went wrong lately in a function, wherever it runs: the error with its line, what was printed, what was
sent (spec §10.3, §12.1).

It is told from what is kept anyway: samples of failed deliveries (`onward.delivery.samples`), and requests of
webhooks that a source function failed for. Of each kind of failure few are; what goes well leaves only counts
behind.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol, TypedDict

import msgspec
import orjson
from litestar import get
from sqlalchemy.orm import Session

from onward.api.answers import Json, timestamp
from onward.api.answers import data as answer
from onward.api.context import ApiRequest, Context, Id, InContext
from onward.api.event_delivery import OUTCOMES, exchanges_view
from onward.api.query import read_query
from onward.functions.source import HANDLER
from onward.metering.fates import Sample
from onward.pipeline import personal
from onward.workspace.entities import FunctionVersion, Source
from onward.workspace.function_instances import Instance, destination_of, find_instances, source_of
from onward.workspace.functions import get_function
from onward.workspace.roles import Permission

LOOKED_AT = 200
"""Samples of one destination; before an insert function they may be of its tool."""
END = 1 << 60


class Refused(Protocol):
    """A request or event that the front door discarded (`onward.tracking.ledger.Discard`)."""

    @property
    def received_at(self) -> int: ...
    @property
    def code(self) -> str: ...
    @property
    def payload(self) -> bytes: ...


Refusals = Callable[[str, str | None, int], Sequence[Refused]]
"""The newest first: id of the source, of which code (None for all), how many."""


def nothing_kept(source_id: str, code: str | None, limit: int) -> Sequence[Refused]:
    return ()


class LogsQuery(msgspec.Struct):
    count: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    """How many, the newest."""


class LogLine(TypedDict):
    level: str
    text: str


class Where(TypedDict):
    instanceId: str
    sourceName: str
    destinationName: str | None
    """The destination that it is or stands before; null at a source."""


class Failure(TypedDict):
    time: str
    versionNumber: int | None
    """Which version it was; null where that was not written down."""
    outcome: Literal["retried", "discarded", "filtered"]
    code: str
    kind: str | None
    """Such as `Bad Request`; null if it was not called, as for an event that it has no handler for."""
    message: str
    handler: str | None
    events: int
    """How many it was called with at once."""
    attempt: int
    messageId: str | None
    line: int | None
    """Of the version's code."""
    stack: str | None
    logs: list[LogLine]
    lostLogs: int
    """Lines that were too many to keep."""
    uncaught: list[str]
    """Errors that nothing in the function waited for."""
    wallMs: float | None
    input: Any
    """The event; of a source function the request, `{"url", "headers", "body"}`."""
    exchanges: list[dict[str, Any]]
    """Requests that it sent and answers to them, `{"request", "response", "error", "durationMs"}` each."""


class FailedRun(Where, Failure):
    pass


class LogsAnswer(TypedDict):
    logs: list[FailedRun]
    """The newest first."""
    hidden: int
    """How many instances are left out, whose events the caller may not see."""


@get(
    "/functions/{function_id:str}/logs",
    operation_id="listFunctionLogs",
    sync_to_thread=True,
    query=LogsQuery,
    answer=LogsAnswer,
    tag="Functions",
)
def list_logs(context: InContext, request: ApiRequest, function_id: Id) -> Json:
    """Ours: failures of a function at all its instances, with the error, what it printed, and its requests.

    Of each instance and kind of failure the first three are kept, then one every ten seconds, the newest ten.
    Secrets are masked before anything is kept, personal data for those who may not see it. Of a function that
    stands after a source only the events are kept that it failed for, among those that the source discarded.
    """
    count = read_query(request, LogsQuery).count
    refusals: Refusals = request.app.state.refusals
    with context.reading() as session:
        function = get_function(session, context.workspace_id, function_id)
        instances = find_instances(session, function, None)
        seen = [each for each in instances if _may_see(context, each)]
        runs: list[FailedRun] = []
        for each in seen:
            unmasked = context.access.to(Permission.PII_READ, source_of(each).id)
            destination = destination_of(each)
            failures: Iterator[Failure] = iter(())
            if isinstance(each, Source):
                failures = _of_source(refusals(each.id, None, LOOKED_AT), unmasked)
            elif destination is not None:
                samples = context.delivery.ask.samples(destination.id, 0, END, limit=LOOKED_AT)
                own = None if each is destination else each.id
                failures = _of_destination(session, samples, own, unmasked)
            where: Where = {
                "instanceId": each.id,
                "sourceName": source_of(each).name,
                "destinationName": destination.name if destination else None,
            }
            runs += [{**where, **failure} for failure in failures]
    newest = sorted(runs, key=lambda run: run["time"], reverse=True)[:count]
    return answer(logs=newest, hidden=len(instances) - len(seen))


def _may_see(context: Context, instance: Instance) -> bool:
    """Whether the events that it failed for."""
    permission = Permission.DEBUGGER_READ if isinstance(instance, Source) else Permission.DELIVERY_READ
    return context.access.to(permission, source_of(instance).id)


def _of_destination(
    session: Session, samples: Iterable[Sample], own: str | None, unmasked: bool
) -> Iterator[Failure]:
    """`own`: the id of an insert function, so that no failures are told of the tool that it stands before;
    None for a destination that is a function."""
    for sample in samples:
        trace = sample.trace or {}
        if own is None or trace.get("instanceId") == own:
            yield _sampled(session, sample, trace if unmasked else _masked(trace), unmasked)


def _sampled(session: Session, sample: Sample, trace: Mapping[str, Any], unmasked: bool) -> Failure:
    version = session.get(FunctionVersion, trace["versionId"]) if "versionId" in trace else None
    error = trace.get("error") or {}
    return {
        "time": timestamp(sample.at),
        "versionNumber": version.number if version else None,
        "outcome": OUTCOMES[sample.outcome],
        "code": sample.code,
        "kind": trace.get("kind"),
        "message": sample.message if unmasked else personal.text(sample.message),
        "handler": trace.get("handler"),
        "events": trace.get("events", 1),
        "attempt": sample.attempt,
        "messageId": sample.message_id,
        "line": error.get("line"),
        "stack": error.get("stack"),
        "logs": [{"level": line["level"], "text": line["text"]} for line in trace.get("logs", ())],
        "lostLogs": trace.get("lostLogs", 0),
        "uncaught": trace.get("uncaught", []),
        "wallMs": trace.get("wallMs"),
        "input": sample.event if unmasked else personal.masked(sample.event),
        "exchanges": exchanges_view(sample, unmasked),
    }


def _of_source(refused: Iterable[Refused], unmasked: bool) -> Iterator[Failure]:
    """Requests to its webhook that came to nothing; other events of it may have been discarded, too."""
    for each in refused:
        try:
            kept = orjson.loads(each.payload)
        except orjson.JSONDecodeError:  # too long to be kept whole
            continue
        if isinstance(kept, dict) and kept.get("type") == "request" and "request" in kept:
            yield _requested(each, kept if unmasked else _masked(kept))


def _requested(refused: Refused, kept: Mapping[str, Any]) -> Failure:
    error = kept.get("error") or {}
    return {
        "time": timestamp(refused.received_at),
        "versionNumber": None,
        "outcome": "discarded",
        "code": refused.code,
        "kind": error.get("kind"),
        "message": error.get("message", ""),
        "handler": HANDLER if error else None,
        "events": 1,
        "attempt": 1,
        "messageId": None,
        "line": error.get("line"),
        "stack": None,
        "logs": [{"level": "log", "text": text} for text in kept.get("logs", ())],
        "lostLogs": 0,
        "uncaught": [],
        "wallMs": None,
        "input": kept["request"],
        "exchanges": [],
    }


def _masked(value: Mapping[str, Any]) -> dict[str, Any]:
    return dict(personal.masked(value))
