"""The seam of the state store: what one destination has to remember, and how it changes.

Invariants (`tests/conformance/test_state.py`):

* `commit` applies all of its changes or none, and is durable when it returns.
* Per destination, at any time: `received = delivered + filtered + discarded + pending`, where pending
  are the events above the cursor and the parked ones (`Totals`).
* A parked payload leaves the store only in the transaction that counts its outcome.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import msgspec

from onward.eventlog.protocol import Position
from onward.metering import query
from onward.metering.asking import Questions
from onward.metering.fates import Attempt, Redrive, Sample
from onward.metering.query import Question

LATENCY_BOUNDS = (10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 3_600_000)
"""Upper bounds in ms of the buckets of (delivered - received); the last bucket is open."""

DELIVERED = "successes.attempt."
"""A delivered event is counted under this and the attempt that succeeded (spec §11.2)."""


class Count(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a counter counts (spec §12.3)."""

    outcome: str
    """`delivered`, `filtered`, `discarded` or `retried` (an attempt that will be repeated)."""
    code: str
    """Spec §12.4, or `successes.attempt.N`."""
    subscription_id: str
    event_type: str
    event_name: str
    app_version: str


class Parked(msgspec.Struct, kw_only=True):
    """A payload that waits for its next attempt, or for the first one of its bulk batch."""

    id: int = 0
    """0 until the store has given it one."""
    subscription_id: str
    bulk_id: int = 0
    """Items of one bulk batch share it; 0 for stream delivery."""
    message_id: str
    event_type: str
    event_name: str
    app_version: str
    received_at: int
    payload: dict[str, Any]
    event: dict[str, Any]
    due_at: float
    attempt: int
    """Attempts made so far."""
    first_attempt_at: float
    """Seconds since the epoch; 0 before the first."""
    deadline: float
    """No attempt after this, in seconds since the epoch; 0 before the first."""
    code: str = ""
    message: str = ""
    to_insert: bool = False
    """Whether there is no payload yet, for the insert function has still to be called."""
    action: str = ""
    """The slug of the action that the payload was made for; empty if there is no payload yet, or if an
    earlier version of Onward, which did not write it down, has parked it."""
    inserted: dict[str, Any] | None = None
    """What the insert function made of the event."""


class Repark(msgspec.Struct, frozen=True):
    """A parked payload that failed once more."""

    id: int
    due_at: float
    attempt: int
    first_attempt_at: float
    deadline: float
    code: str
    message: str


class Discard(msgspec.Struct, kw_only=True):
    """A payload given up on, kept for inspection."""

    id: int = 0
    destination_id: str = ""
    at: int
    """Milliseconds since the epoch."""
    subscription_id: str
    message_id: str
    event_type: str
    event_name: str
    received_at: int
    attempts: int
    code: str
    message: str
    payload: dict[str, Any]
    event: dict[str, Any]
    action: str = ""
    """The slug of the action that the payload was made for, as far as there is one and it is known."""
    inserted: dict[str, Any] | None = None
    """What the insert function made of the event."""


Whose = Callable[[Any, int], bool]
"""`(user id, received at)`: whether an event with this `userId`, received at a time (ms), is of somebody who
is meant."""


class Held(msgspec.Struct, frozen=True):
    """Rows that hold a payload, by id."""

    discards: frozenset[int] = frozenset()
    parked: frozenset[int] = frozenset()
    samples: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.discards or self.parked or self.samples)


class Changes:
    """What happened at one destination since the last commit; merged from finished records."""

    __slots__ = (
        "attempts",
        "breaker",
        "counts",
        "cursor",
        "discards",
        "fanned_out",
        "latency",
        "park",
        "passages",
        "redriven",
        "repark",
        "samples",
        "shift_deadlines",
        "skipped",
        "unpark",
    )

    def __init__(self) -> None:
        self.cursor: Position | None = None
        self.counts: dict[Count, int] = {}
        self.latency: dict[tuple[str, int], int] = {}
        """Deliveries by mapping and index into `LATENCY_BOUNDS`."""
        self.skipped = 0
        """Events that the cursor passed though they were not for this destination: it was disabled."""
        self.fanned_out = 0
        """Deliveries beyond the first of events that matched several mappings."""
        self.park: list[Parked] = []
        self.unpark: list[int] = []
        self.repark: list[Repark] = []
        self.discards: list[Discard] = []
        self.attempts: list[Attempt] = []
        self.samples: list[Sample] = []
        self.redriven: list[tuple[int, int]] = []
        """`(redrive, discard)`: discards that are none any more, as they were sent again."""
        self.passages: list[tuple[int, int]] = []
        """`(first offset, version)`: from there on, records were routed by that version."""
        self.breaker: float | None = None
        """Opened at (s since the epoch), or 0 for closed; None for no change."""
        self.shift_deadlines = 0.0
        """Seconds to add to the deadlines of all parked payloads: an outage does not use them up."""

    def __bool__(self) -> bool:
        return bool(
            self.cursor is not None
            or self.counts
            or self.park
            or self.unpark
            or self.repark
            or self.discards
            or self.samples
            or self.breaker is not None
        )

    def count(self, key: Count, number: int = 1) -> None:
        self.counts[key] = self.counts.get(key, 0) + number

    def merge(self, other: "Changes") -> None:
        for key, number in other.counts.items():
            self.counts[key] = self.counts.get(key, 0) + number
        for place, number in other.latency.items():
            self.latency[place] = self.latency.get(place, 0) + number
        self.skipped += other.skipped
        self.fanned_out += other.fanned_out
        self.park += other.park
        self.unpark += other.unpark
        self.repark += other.repark
        self.discards += other.discards
        self.attempts += other.attempts
        self.redriven += other.redriven


class DestinationState(msgspec.Struct, frozen=True):
    """Where a destination's loop begins."""

    cursor: Position
    breaker_opened_at: float | None
    next_due: float | None
    """When the first parked payload is due; None if none is parked."""


class Totals(msgspec.Struct, frozen=True):
    """The books of one destination since it was connected."""

    start: Position
    cursor: Position
    skipped: int
    fanned_out: int
    delivered: int
    filtered: int
    discarded: int
    parked: int
    untried: int
    """Of those parked: they wait in their bulk batch for the first attempt."""
    breaker_opened_at: float | None

    def received(self, head: Position) -> int:
        """Events and extra deliveries for this destination, up to the head of its source's log."""
        return head.seq - self.start.seq - self.skipped + self.fanned_out

    def pending(self, head: Position) -> int:
        return head.seq - self.cursor.seq + self.parked


class StateStore(Protocol):
    def open_destination(self, destination_id: str, start: Position) -> DestinationState:
        """The stored state, or a new one whose cursor is `start`."""
        ...

    def commit(self, changes: Iterable[tuple[str, Changes]], now: float) -> None:
        """Apply the changes of several destinations (by id) in one transaction. Fills in `Parked.id`."""
        ...

    def due(self, destination_id: str, now: float, limit: int, besides: set[int]) -> list[Parked]:
        """Up to `limit` parked payloads due at `now` (bulk batches whole), oldest first, without the ids
        `besides`."""
        ...

    def next_due(self, destination_id: str, besides: set[int]) -> float | None: ...

    def forget(self, destination_id: str) -> None:
        """Remove all that is known of a deleted destination."""
        ...

    def shift_for_downtime(self, destination_ids: Sequence[str], now: float, least: float) -> float:
        """Add the time since the last heartbeat, if it is at least `least` seconds, to the deadlines of
        these destinations; the seconds added."""
        ...

    def heartbeat(self, now: float) -> None: ...

    def totals(self, destination_id: str | None = None) -> dict[str, Totals]:
        """The books of one destination, or of all."""
        ...

    def discards(
        self,
        destination_id: str,
        limit: int = 100,
        before: int | None = None,
        code: str | None = None,
        message_id: str | None = None,
    ) -> list[Discard]:
        """The newest first; `before` is the id to continue below."""
        ...

    def ask_redrive(self, destination_id: str, wanted: Redrive, now: float) -> int:
        """Have discards sent again by the process that owns the destination; the id of the request."""
        ...

    def redrives(self, destination_id: str, limit: int = 20) -> list[Redrive]:
        """The newest first."""
        ...

    def redriving(self) -> list[str]:
        """Destinations with requests that are not done."""
        ...

    def next_redrive(self, destination_id: str, limit: int) -> tuple[Redrive, list[Discard]] | None:
        """The oldest request that is not done, and its next discards, the oldest first; without any left it
        is done."""
        ...

    def end_redrive(self, id: int, now: float) -> None:
        """All that it asked for has been sent again."""
        ...

    def held(self, destination_id: str, is_of: Whose) -> Held:
        """Where an event is held of whom `is_of` means; also samples of requests in which one may have been.
        Reads everything that is held for the destination, and may take seconds."""
        ...

    def erase(self, destination_id: str, rows: Held, now: float) -> None:
        """Remove these rows, and what is told of attempts at their events, so that nothing of them stays on
        disk; the parked ones among them are counted as filtered, `USER_DELETED`."""
        ...

    def erase_attempts(self, message_ids: Sequence[str]) -> None:
        """Remove what is told of attempts at these events, at all destinations."""
        ...

    def counters(self, destination_id: str, outcome: str, question: Question) -> query.Totals:
        """What was counted as an outcome; successes after a retry are counted as retried too."""
        ...

    def questions(self) -> Questions:
        """What people ask of it, over a connection of its own; closed with the store."""
        ...

    def prune(self, discards_before: int, counters_before: int) -> None:
        """Forget discards (with samples and attempts) and counters older than these times (ms); put counters
        of minutes that are older than three days together by hours."""
        ...

    def close(self) -> None: ...
