"""What a trace of one event says: shapes (ours)."""

from typing import Any, Literal, Protocol

import msgspec

from onward.metering.fates import Attempt

Status = Literal["delivered", "filtered", "discarded", "retrying", "pending", "notForIt", "unknown"]


class Shape(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The Public API shows these as they are."""


class TracedStep(Shape, frozen=True):
    """A step of the event's way to one destination; see `onward.pipeline.explain.Step`."""

    stage: str
    passed: bool
    id: str
    """Of a filter or a mapping; empty for steps that sum up."""
    name: str
    code: str
    message: str
    output: Any = None
    """The event after the filters and after the transformations, where they changed it."""


class TracedAttempt(Shape, frozen=True):
    time: str
    attempt: int
    outcome: Literal["retry", "delivered", "discarded", "filtered"]
    """`filtered`: a function stopped it. `retry`: it is, or was, tried again."""
    code: str
    message: str
    next_attempt_at: str | None = None


class TracedDelivery(Shape, frozen=True):
    """What became of the payload that one mapping made."""

    subscription_id: str | None
    name: str
    status: Status
    summary: str
    """One sentence."""
    code: str = ""
    message: str = ""
    attempts_made: int = 0
    attempts: list[TracedAttempt] = []
    """Those that are written down: what arrives at the first attempt leaves none."""
    next_attempt_at: str | None = None
    gives_up_at: str | None = None
    discard_id: str | None = None
    """Under which it can be looked at, and sent again."""
    payload: Any = None


class TracedDestination(Shape, frozen=True):
    destination_id: str
    name: str
    status: Status
    summary: str
    """One sentence: what became of the event, or where it waits and until when."""
    code: str = ""
    """Spec §12.4."""
    configuration_version: int | None = None
    """By which the event was routed; None while it has not been."""
    steps: list[TracedStep] = []
    deliveries: list[TracedDelivery] = []
    """One for each mapping that it met."""


class Traced(Shape, frozen=True):
    """One accepted event and what became of it."""

    message_id: str
    source_id: str
    received_at: str
    event: dict[str, Any]
    destinations: list[TracedDestination]


class Searched(Shape, frozen=True):
    start_time: str
    end_time: str
    complete: bool
    """Whether all of it was looked at; if not, go on at `next_time`."""
    next_time: str | None
    records: int
    """Requests that were looked at."""


class Traces(Shape, frozen=True):
    traces: list[Traced]
    searched: Searched | None
    """None if it was known where to look."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What to trace. Times are ms since the epoch."""

    workspace_id: str
    source_ids: tuple[str, ...]
    message_id: str | None = None
    user_id: str | None = None
    """Or anonymous id."""
    start: int | None = None
    end: int | None = None
    destination_ids: frozenset[str] | None = None
    """None for all."""
    limit: int = 20


class Tracer(Protocol):
    def trace(self, wanted: Wanted) -> Traces:
        """Blocks for up to some seconds."""
        ...


def of_mapping(
    attempts: list[tuple[str, Attempt]], destination_id: str, subscription_id: str
) -> list[Attempt]:
    return [each for id, each in attempts if id == destination_id and each.subscription_id == subscription_id]
