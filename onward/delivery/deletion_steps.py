"""The steps of deletions as they are read from and written to the database. Blocking: for threads."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from onward.destinations.outcome import Outcome
from onward.workspace import erasure
from onward.workspace.database import reading, writing
from onward.workspace.entities import Regulation, RegulationRetry, RegulationTarget
from onward.workspace.erasure import Erasure
from onward.workspace.regulations import FAILED, FINAL, FINISHED, INITIALIZED, PARTIAL_SUCCESS, RUNNING

REASON = 500
"""Characters of a reason that are kept."""


class Key(NamedTuple):
    regulation_id: str
    destination_id: str


class State(NamedTuple):
    purged: bool
    forwards: bool


class Attempt(msgspec.Struct, frozen=True):
    subject: int
    """Position in the regulation."""
    user_id: str
    asked_at: int
    """When the deletion was asked for (ms)."""
    attempt: int = 0
    """Made so far."""
    deadline: float = 0.0
    """No attempt after this (s); 0 before the first."""
    due_at: float = 0.0


@dataclass(frozen=True)
class Work:
    erasures: Sequence[Erasure] = ()
    workspaces: dict[str, str] = field(default_factory=dict)
    """The workspace of each source."""
    targets: Sequence[Key] = ()


NOTHING = Work()


class Steps:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def look(self, now: int) -> Work:
        """Everything that is under way; begins what is due to begin."""
        with reading(self._engine) as session:
            if not erasure.waits(session):
                return NOTHING
            begins = erasure.may_begin(session, now)
        if begins:
            with writing(self._engine) as session:
                erasure.begin(session, now)
        with reading(self._engine) as session:
            return Work(
                erasure.running(session),
                erasure.workspaces(session),
                [Key(each.regulation_id, each.destination_id) for each in erasure.open_targets(session)],
            )

    def start(self, key: Key) -> State | None:
        """Say that a target is being worked on; None if there is nothing to do."""
        with writing(self._engine) as session:
            target = _open_target(session, key)
            if target is None:
                return None
            if target.status == INITIALIZED:
                target.status = RUNNING
            return State(target.purged, target.forwards)

    def purged(self, key: Key, now: int) -> None:
        with writing(self._engine) as session:
            target = _open_target(session, key)
            if target is None:
                return
            target.purged = True
            if not target.forwards:
                _end(session, target, FINISHED, now)

    def refused(self, key: Key, status: str, why: str, now: int) -> None:
        with writing(self._engine) as session:
            target = _open_target(session, key)
            if target is not None:
                target.error = why
                _end(session, target, status, now)

    def next(self, key: Key, now: int, limit: int) -> list[Attempt]:
        """What is to be told now: retries that are due, then who was not told of yet."""
        with reading(self._engine) as session:
            target = _open_target(session, key)
            regulation = session.get(Regulation, key.regulation_id)
            if target is None or regulation is None:
                return []
            asked_at, subjects = regulation.created_at, regulation.subjects
            due = [
                Attempt(row.subject, subjects[row.subject], asked_at, row.attempt, row.deadline / 1000)
                for row in erasure.due_retries(session, target, now, limit)
            ]
            first = target.next_subject
            return due + [
                Attempt(subject, subjects[subject], asked_at)
                for subject in range(first, min(len(subjects), first + limit - len(due)))
            ]

    def told(self, key: Key, results: Sequence[tuple[Attempt, Outcome]], now: int) -> None:
        """What became of the attempts that `next` gave."""
        with writing(self._engine) as session:
            target = _open_target(session, key)
            if target is None:
                return
            for attempt, outcome in results:
                target.next_subject = max(target.next_subject, attempt.subject + 1)
                row = session.get(RegulationRetry, (*key, attempt.subject))
                if outcome.kind == "retry":
                    target.error = _reason(outcome)
                    if row is None:
                        row = RegulationRetry(
                            regulation_id=key.regulation_id,
                            destination_id=key.destination_id,
                            subject=attempt.subject,
                        )
                        session.add(row)
                    row.attempt = attempt.attempt
                    row.due_at = int(attempt.due_at * 1000)
                    row.deadline = int(attempt.deadline * 1000)
                    continue
                if row is not None:
                    session.delete(row)
                if outcome.kind == "delivered":
                    target.succeeded += 1
                else:
                    target.failed += 1
                    target.error = _reason(outcome)

    def end(self, key: Key, now: int) -> None:
        """End a target whose tool was told of everybody."""
        with writing(self._engine) as session:
            target = _open_target(session, key)
            regulation = session.get(Regulation, key.regulation_id)
            if target is None or regulation is None:
                return
            if target.next_subject < len(regulation.subjects) or erasure.has_retries(session, target):
                return
            if not target.failed:
                target.error = ""
                _end(session, target, FINISHED, now)
            else:
                _end(session, target, PARTIAL_SUCCESS if target.succeeded else FAILED, now)

    def log_is_erased(self, ids: Sequence[str], offset: int, wholly: bool) -> None:
        with writing(self._engine) as session:
            erasure.log_is_erased(session, ids, offset, int(time.time() * 1000), wholly=wholly)


def _open_target(session: Session, key: Key) -> RegulationTarget | None:
    target = session.get(RegulationTarget, tuple(key))
    return None if target is None or target.status in FINAL else target


def _end(session: Session, target: RegulationTarget, status: str, now: int) -> None:
    target.status, target.finished_at = status, now
    regulation = session.get(Regulation, target.regulation_id)
    assert regulation is not None
    erasure.settle(session, regulation, now)


def _reason(outcome: Outcome) -> str:
    return f"{outcome.code}: {outcome.message}"[:REASON].encode("utf-8", "replace").decode()
