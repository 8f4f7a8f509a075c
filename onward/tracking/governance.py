"""The rules of a source at the door: applied to a request after validation, before it is committed.

Here, and not where destinations read, because what is decided here is decided once and for all: what is
blocked is in no log, no archive and no replay, and what is changed was never otherwise (spec §2, §5). So the
log needs no version of the rules to be read by, and every reader sees the same events.

Sources without rules pay one look-up a request. The others pay for completing their events (§4) to ask
conditions of them, and if one was changed, for writing the request's events anew.
"""

import logging
from collections.abc import Iterator
from typing import Any

import orjson

from onward.pipeline.governance import Governor
from onward.pipeline.governance import forwarding as hand_on
from onward.pipeline.governance.forwarding import Origin
from onward.pipeline.governance.governor import INTERNAL, TRANSFORMATION, Judgement
from onward.pipeline.normalise import Undecodable, completer
from onward.pipeline.types import Envelope, Event
from onward.tracking.intake import Intake
from onward.workspace.snapshot import Snapshot, Source

log_ = logging.getLogger(__name__)

HANDED_ON = 500
"""Events in one record of another source."""


class Governors:
    """The governors of a snapshot's sources: made when a source's first request comes, and kept from one
    snapshot to the next where its rules are the same."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._made: dict[str, SourceGovernor] = {}

    def of(self, snapshot: Snapshot, source: Source) -> "SourceGovernor | None":
        """None for a source without rules. Raises ValueError if they can't be made to run."""
        if source.governance is None:
            return None
        if snapshot is not self._snapshot:
            self._snapshot = snapshot
            self._made = {
                id: made
                for id, made in self._made.items()
                if (now := snapshot.source_by_id.get(id)) is not None and made.is_of(now)
            }
        made = self._made.get(source.id)
        if made is None:
            made = self._made[source.id] = SourceGovernor(source)
        return made


class SourceGovernor:
    def __init__(self, source: Source) -> None:
        assert source.governance is not None
        self._source = source
        self._rules = source.governance
        self._governor = Governor(source.id, source.governance)
        plan = source.governance.plan
        self._origin = Origin(
            source.id, source.name, source.slug, plan.id if plan else "", plan.name if plan else ""
        )

    def is_of(self, source: Source) -> bool:
        """Whether this is the governor of just that configuration."""
        old, new = self._source, source
        return (old.name, old.slug, self._rules) == (new.name, new.slug, new.governance)

    def judge(self, taken: Intake, envelope: Envelope) -> Iterator[tuple[str, list[Event]]]:
        """Block and change the events of a request; the events for other sources: id of the source, events.

        Call it after `Intake.validate`; the request is ready for the log when this returns, before anything
        that it yields is asked for.
        """
        events = taken.events if taken.changed is None else taken.changed
        complete = completer(envelope, taken.content) if taken.changed is None else _as_it_is
        kept: list[Event | None] = [None] * taken.count
        codes: dict[int, str] = {}
        blocked: list[Judgement] = []
        violating: list[Judgement] = []
        untouched: list[int] = []
        changed = False
        for at in taken.standing():
            if not self._governor.concerns(events[at], taken.type or events[at]["type"]):
                untouched.append(at)
                continue
            event = complete(events[at], at)
            if isinstance(event, Undecodable):  # not after validation; if it is, its readers will say so
                kept[at] = _as_read(event, events[at])
                continue
            judged = self._judged(event)
            if judged.code is None:
                kept[at] = judged.event
                changed = changed or judged.event is not event
            else:
                codes[at] = judged.code
                if judged.code not in (INTERNAL, TRANSFORMATION):
                    blocked.append(judged)
            if judged.violations:
                violating.append(judged)
        if changed:
            for at in untouched:
                kept[at] = _as_read(complete(events[at], at), events[at])
            taken.stored = _written(kept, codes)
        if codes:
            taken.block(codes)
        return self._handed_on(blocked, violating)

    def _judged(self, event: Event) -> Judgement:
        try:
            return self._governor(event)
        except Exception as error:  # a fault of ours costs this event, with its reason, and no request
            log_.exception("source %s: an event could not be judged", self._source.id)
            return Judgement(event, INTERNAL, message=str(error))

    def _handed_on(
        self, blocked: list[Judgement], violating: list[Judgement]
    ) -> Iterator[tuple[str, list[Event]]]:
        if self._rules.blocked_to is not None and blocked:
            yield from _portions(
                self._rules.blocked_to, [hand_on.blocked(self._origin, each) for each in blocked]
            )
        if self._rules.violations_to is not None and violating:
            told = [event for each in violating for event in hand_on.violations(self._origin, each)]
            yield from _portions(self._rules.violations_to, told)


def _as_it_is(event: Event, position: int) -> Event | Undecodable:
    return event


def _as_read(event: Event | Undecodable, raw: Event) -> Event:
    return raw if isinstance(event, Undecodable) else event


def _portions(source_id: str, events: list[Event]) -> Iterator[tuple[str, list[Event]]]:
    for start in range(0, len(events), HANDED_ON):
        yield source_id, events[start : start + HANDED_ON]


def _written(kept: list[Event | None], codes: dict[int, str]) -> bytes:
    """The body for the log. An event that can't be written is taken out, with its code in `codes`."""
    try:
        return orjson.dumps({"batch": kept})
    except TypeError:
        written: list[Any] = []
        for at, event in enumerate(kept):
            try:
                written.append(orjson.Fragment(orjson.dumps(event)))
            except TypeError:
                codes[at] = INTERNAL
                written.append(None)
        return orjson.dumps({"batch": written})
