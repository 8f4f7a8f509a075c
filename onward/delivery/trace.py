"""One event's way to each destination: which filter, trigger and mapping, which attempts, which answer, or
where it waits and until when.

Nothing is written for it where events arrive. What is said comes from the log (the event), the cursor (how
far the destination is), the version of the configuration that routed the record, and what is written down
of failures; what is none of these arrived at the first attempt. That holds as long as failures are kept: of
older events it is not said.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, cast

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from onward.delivery.plan import Plan
from onward.delivery.search import Found, Search
from onward.delivery.state.protocol import StateStore, Totals
from onward.destinations.catalog import Catalogue, UnknownDestinationError
from onward.egress import redact
from onward.eventlog.protocol import LogReader
from onward.metering.fates import Attempt, Fates, GivenUp, Parked
from onward.metering.reasons import reason
from onward.metering.tracing import (
    Searched,
    Status,
    Traced,
    TracedAttempt,
    TracedDelivery,
    TracedDestination,
    TracedStep,
    Traces,
    Wanted,
    of_mapping,
)
from onward.pipeline import explain, timestamps
from onward.pipeline.sampling import MessageDice
from onward.workspace.compile import current_snapshot, stored_snapshot, stored_versions
from onward.workspace.secrets import Cipher
from onward.workspace.snapshot import Destination, Snapshot, Source

FirstSeen = Callable[[str, str, str], int | None]
"""`(workspace, source, messageId)` → when the front door first saw it (s), if that is still known."""

NEAR = ((3_000, 1_500), (60_000, 60_000))
"""Around the second in which an id was committed: how long (ms) before and after its event was received."""
DAY = 86_400_000
DIFFERS = 5_000
"""Ms that times in discards may be from where to look."""

ORDER: tuple[Status, ...] = (
    "retrying",
    "pending",
    "discarded",
    "unknown",
    "delivered",
    "filtered",
    "notForIt",
)
"""What a destination's status is if its mappings differ: the first that one has."""


class EventTracer:
    def __init__(
        self,
        log: LogReader,
        store: StateStore,
        engine: Engine,
        cipher: Cipher,
        catalogue: Catalogue,
        first_seen: FirstSeen,
        discard_retention_ms: int,
    ) -> None:
        self._log = log
        self._store = store
        self._ask = store.questions()
        self._engine = engine
        self._cipher = cipher
        self._catalogue = catalogue
        self._first_seen = first_seen
        self._discard_retention_ms = discard_retention_ms
        self._dice = MessageDice()

    def trace(self, wanted: Wanted) -> Traces:
        """`wanted` names a messageId, or a user and a time."""
        found, searched = self._find(wanted)
        totals = self._store.totals()
        snapshots = _Snapshots(self._engine, self._cipher)
        return Traces(
            traces=[self._traced(each, totals, snapshots, wanted) for each in found], searched=searched
        )

    # Where the event is

    def _find(self, wanted: Wanted) -> tuple[list[Found], Searched | None]:
        search = Search(self._log, wanted.source_ids, wanted.message_id, wanted.user_id)
        if wanted.start is None and wanted.message_id is not None:
            for start, end in self._places(wanted, wanted.message_id):
                if found := search.between(start, end, wanted.limit):
                    return found, None
        now = int(time.time() * 1000)
        end = now if wanted.end is None else wanted.end
        start = end - DAY if wanted.start is None else wanted.start
        found = search.between(start, end, wanted.limit)
        stopped = search.stopped_at
        return found, Searched(
            start_time=timestamps.render(start),
            end_time=timestamps.render(end),
            complete=stopped is None,
            next_time=None if stopped is None else timestamps.render(stopped),
            records=search.records,
        )

    def _places(self, wanted: Wanted, message_id: str) -> Iterator[tuple[int, int]]:
        """Where an event may have been received, the likeliest first."""
        for source_id in wanted.source_ids:
            seen = self._first_seen(wanted.workspace_id, source_id, message_id)
            if seen is not None:
                for before, after in NEAR:
                    yield seen * 1000 - before, seen * 1000 + after
                break
        fates = self._ask.fates(message_id)
        held: list[Parked | GivenUp] = [*fates.parked, *fates.discarded]
        for at in {each.received_at for each in held}:
            yield at, at

    # What became of it

    def _traced(
        self, found: Found, totals: Mapping[str, Totals], snapshots: "_Snapshots", wanted: Wanted
    ) -> Traced:
        message_id = str(found.event.get("messageId", ""))
        fates = self._ask.fates(message_id)
        return Traced(
            message_id=message_id,
            source_id=found.source_id,
            received_at=timestamps.render(found.received_at),
            event=found.event,
            destinations=[
                self._destination(found, each, totals.get(each.id), fates, snapshots)
                for each in snapshots.current.destinations
                if each.source_id == found.source_id
                and (wanted.destination_ids is None or each.id in wanted.destination_ids)
            ],
        )

    def _destination(
        self,
        found: Found,
        destination: Destination,
        totals: Totals | None,
        fates: Fates,
        snapshots: "_Snapshots",
    ) -> TracedDestination:
        def said(status: Status, summary: str, code: str = "") -> TracedDestination:
            return TracedDestination(
                destination_id=destination.id,
                name=destination.name,
                status=status,
                summary=summary,
                code=code,
            )

        if totals is None or found.offset > totals.cursor.offset:
            if not _is_for(destination, found):
                return said("notForIt", "The destination was not enabled when the event came.")
            return said("pending", _waits(found, destination, totals))
        if found.offset <= totals.start.offset:
            return said("notForIt", "The destination was connected after the event came.")
        version = self._ask.routed_by(destination.id, found.offset)
        if version is None:
            version = snapshots.version_at(found.received_at)
        then = snapshots.of(version)
        configured = then.destination_by_id.get(destination.id) if then else None
        if then is None or configured is None:
            return said("unknown", "The configuration of that time is no longer kept.")
        if not _is_for(configured, found):  # by what the destination knew of itself when it read it
            return said("notForIt", "The destination was not enabled when the event came.")
        return self._routed(found, configured, then.source_by_id.get(found.source_id), fates, then.version)

    def _routed(
        self,
        found: Found,
        destination: Destination,
        source: Source | None,
        fates: Fates,
        version: int,
    ) -> TracedDestination:
        message_id = str(found.event.get("messageId", ""))
        try:
            plan = Plan.of(destination, source, self._catalogue, version)
        except UnknownDestinationError as error:
            return TracedDestination(
                destination_id=destination.id, name=destination.name, status="unknown", summary=str(error)
            )
        dice = self._dice.of(destination.id, message_id)
        steps = explain.explain(plan.route, found.event, dice)
        deliveries = [self._delivery(found, plan, step, fates) for step in steps if step.stage == "mapping"]
        told = {each.subscription_id for each in deliveries}
        deliveries += [
            _given_up(each, _name(plan, each.subscription_id), plan)
            for each in fates.discarded
            if each.destination_id == destination.id and (each.subscription_id or None) not in told
        ]
        stopped = next((step for step in steps if not step.passed and step.code), None)
        if deliveries:
            status = min((each.status for each in deliveries), key=ORDER.index)
            chosen = next(each for each in deliveries if each.status == status)
            summary, code = chosen.summary, chosen.code
        else:
            code = stopped.code if stopped else ""
            status, summary = "filtered", f"{reason('destination', code).title}: {_why(stopped, plan)}"
        return TracedDestination(
            destination_id=destination.id,
            name=destination.name,
            status=status,
            summary=summary,
            code=code,
            configuration_version=version,
            steps=[_step(step, plan, found) for step in steps],
            deliveries=deliveries,
        )

    def _delivery(self, found: Found, plan: Plan, step: explain.Step, fates: Fates) -> TracedDelivery:
        destination_id = plan.destination.id
        id = plan.targets[int(step.id)].subscription_id
        name = _name(plan, id)
        given_up = [
            e for e in fates.discarded if (e.destination_id, e.subscription_id) == (destination_id, id)
        ]
        if given_up:
            return _given_up(given_up[-1], name, plan, of_mapping(fates.attempts, destination_id, id))
        inserted = plan.destination.inserted is not None  # what it made of the event is not known again
        shown = step.output is not None and not inserted
        payload = plan.masking.json(redact.payload(step.output)) if shown else None
        attempts = of_mapping(fates.attempts, destination_id, id)
        parked = [e for e in fates.parked if (e.destination_id, e.subscription_id) == (destination_id, id)]
        if parked:
            return _parked(parked[-1], name, attempts, payload)
        if attempts and attempts[-1].outcome == "delivered":
            status: Status = "delivered"
            summary = f"Delivered at attempt {attempts[-1].attempt}."
        elif attempts and attempts[-1].outcome == "filtered":
            status, code = "filtered", attempts[-1].code
            summary = f"Stopped by a function: {reason('destination', code).title}."
            return TracedDelivery(
                subscription_id=id,
                name=name,
                status=status,
                summary=summary,
                code=code,
                message=attempts[-1].message,
                attempts_made=attempts[-1].attempt,
                attempts=[_attempt(each) for each in attempts],
            )
        elif found.received_at < time.time() * 1000 - self._discard_retention_ms + DIFFERS:
            status, summary = (
                "unknown",
                "It has come to an end; how is no longer known, for it is too long ago.",
            )
        elif step.passed or inserted:  # all else that becomes of an inserted one is written down
            status, summary = "delivered", "Delivered at the first attempt."
        else:
            status, summary = "discarded", f"{reason('delivery', step.code).title}: {step.message}"
        return TracedDelivery(
            subscription_id=id,
            name=name,
            status=status,
            summary=summary,
            code="" if inserted else step.code,
            message="" if inserted else step.message,
            attempts_made=attempts[-1].attempt if attempts else int(status == "delivered"),
            attempts=[_attempt(each) for each in attempts],
            payload=payload,
        )


class _Snapshots:
    """The current configuration and past ones, each read once."""

    def __init__(self, engine: Engine, cipher: Cipher) -> None:
        self._engine = engine
        self._cipher = cipher
        with Session(engine) as session:
            self.current = current_snapshot(session, cipher)
        self._read: dict[int, Snapshot | None] = {self.current.version: self.current}
        self._versions: list[tuple[int, int]] | None = None

    def of(self, version: int | None) -> Snapshot | None:
        if version is None:
            return None
        if version not in self._read:
            with Session(self._engine) as session:
                self._read[version] = stored_snapshot(session, self._cipher, version)
        return self._read[version]

    def version_at(self, ms: int) -> int | None:
        if self._versions is None:
            with Session(self._engine) as session:
                self._versions = [(row.version, row.created_at) for row in stored_versions(session)]
        return max((version for version, at in self._versions if at <= ms), default=None)


def _is_for(destination: Destination, found: Found) -> bool:
    at = found.received_at
    return any(begin <= at and (end is None or at < end) for begin, end in destination.active)


def _waits(found: Found, destination: Destination, totals: Totals | None) -> str:
    if not destination.enabled:
        return "It waits until the destination is enabled again: it came while it was."
    if totals is None:
        return "It waits for the destination to be taken up by a delivery process."
    before = max(0, found.before - totals.cursor.seq)
    if totals.breaker_opened_at is not None:
        since = timestamps.render(int(totals.breaker_opened_at * 1000))
        return f"It waits until the destination, which fails as a whole since {since}, takes events again."
    if before:
        return f"It waits for its turn: {before} events are before it."
    return "It is being sent, or is next."


def _given_up(fate: GivenUp, name: str, plan: Plan, attempts: list[Attempt] | None = None) -> TracedDelivery:
    made = "" if fate.attempts < 2 else f" after {fate.attempts} attempts"
    last = TracedAttempt(
        time=timestamps.render(fate.at),
        attempt=fate.attempts,
        outcome="discarded",
        code=fate.code,
        message=plan.masking.text(fate.message),
    )
    return TracedDelivery(
        subscription_id=fate.subscription_id or None,
        name=name,
        status="discarded",
        summary=f"Given up on{made}: {reason('delivery', fate.code).title}.",
        code=fate.code,
        message=plan.masking.text(fate.message),
        attempts_made=fate.attempts,
        attempts=[*map(_attempt, attempts or ()), *([last] if fate.attempts else [])],
        discard_id=str(fate.id),
    )


def _parked(fate: Parked, name: str, attempts: list[Attempt], payload: object) -> TracedDelivery:
    due = timestamps.render(int(fate.due_at * 1000))
    if fate.attempt:
        summary = f"Failed {fate.attempt} times ({fate.code}); the next attempt is due at {due}."
    else:
        summary = "It waits in its batch for the first attempt."
    return TracedDelivery(
        subscription_id=fate.subscription_id or None,
        name=name,
        status="retrying" if fate.attempt else "pending",
        summary=summary,
        code=fate.code,
        message=fate.message,
        attempts_made=fate.attempt,
        attempts=[_attempt(each) for each in attempts],
        next_attempt_at=due,
        gives_up_at=timestamps.render(int(fate.deadline * 1000)) if fate.deadline else None,
        payload=payload,
    )


def _attempt(attempt: Attempt) -> TracedAttempt:
    return TracedAttempt(
        time=timestamps.render(attempt.at),
        attempt=attempt.attempt,
        outcome=cast(Literal["retry", "delivered", "filtered"], attempt.outcome),
        code=attempt.code,
        message=attempt.message,
        next_attempt_at=timestamps.render(int(attempt.due_at * 1000)) if attempt.due_at else None,
    )


def _step(step: explain.Step, plan: Plan, found: Found) -> TracedStep:
    edits = step.stage in ("filters", "transformations") and step.passed and step.output != found.event
    id = plan.targets[int(step.id)].subscription_id if step.stage in ("trigger", "mapping") else step.id
    filters = {each.id: each.title for each in plan.destination.filters}
    return TracedStep(
        stage=step.stage,
        passed=step.passed,
        id=id,
        name=filters.get(id, "") or _name(plan, id),
        code=step.code,
        message=step.message,
        output=step.output if edits else None,
    )


def _why(step: explain.Step | None, plan: Plan) -> str:
    if step is None:
        return "no step says why."
    title = next((each.title for each in plan.destination.filters if each.id == step.id), "")
    words = step.message or reason("destination", step.code).happened
    return f"{words} ({title})" if title else words


def _name(plan: Plan, subscription_id: str) -> str:
    return next((each.name for each in plan.destination.subscriptions if each.id == subscription_id), "")
