"""How deletions go on, for those who carry them out (spec §16.1). The rows are the work list:

    front door         samples of the debugger and of discards          `door_erased`
    delivery, the first   records of the event log                      `log_erased`
    each destination's owner   payloads kept for it, then its tool      its `RegulationTarget`

Each begins when the grace of the request is over, goes on where it was after a crash, and says here when it
is done; who finds all done ends the regulation, in the same transaction.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from onward.workspace.entities import Regulation, RegulationRetry, RegulationTarget, Source
from onward.workspace.regulations import FINAL, GRACE_MS, INITIALIZED, RUNNING, overall


class Erasure:
    """A deletion that is under way, detached from the database."""

    __slots__ = ("before", "id", "log_erased", "log_offset", "source_id", "users", "workspace_id")

    def __init__(self, regulation: Regulation) -> None:
        self.id = regulation.id
        self.workspace_id = regulation.workspace_id
        self.source_id = regulation.source_id
        self.users = frozenset(regulation.subjects)
        self.before = regulation.created_at
        """What was received later stays (ms since the epoch)."""
        self.log_erased = regulation.log_erased
        self.log_offset = regulation.log_offset

    def covers(self, workspaces: dict[str, str], source_id: str) -> bool:
        """Whether it is about a source; `workspaces` tells whose each is. What belongs to none any more may
        have been this workspace's, and goes nowhere anyway."""
        if self.source_id:
            return source_id == self.source_id
        return workspaces.get(source_id, self.workspace_id) == self.workspace_id


def waits(session: Session) -> bool:
    """Whether there is anything to do or to begin."""
    query = select(Regulation.id).where(Regulation.status.in_((INITIALIZED, RUNNING))).limit(1)
    return session.scalar(query) is not None


def begin(session: Session, now: int) -> None:
    """Begin what can't be taken back any more."""
    session.execute(
        update(Regulation)
        .where(Regulation.status == INITIALIZED, Regulation.created_at <= now - GRACE_MS)
        .values(status=RUNNING, updated_at=now)
        .execution_options(synchronize_session=False)
    )


def may_begin(session: Session, now: int) -> bool:
    query = select(Regulation.id).where(
        Regulation.status == INITIALIZED, Regulation.created_at <= now - GRACE_MS
    )
    return session.scalar(query.limit(1)) is not None


def running(session: Session) -> list[Erasure]:
    """What is under way, the oldest first."""
    query = select(Regulation).where(Regulation.status == RUNNING)
    return [Erasure(each) for each in session.scalars(query.order_by(Regulation.created_at, Regulation.id))]


def for_the_door(session: Session) -> list[Erasure]:
    query = select(Regulation).where(Regulation.status == RUNNING, ~Regulation.door_erased)
    return [Erasure(each) for each in session.scalars(query)]


def workspaces(session: Session) -> dict[str, str]:
    """The workspace of each source."""
    rows = session.execute(select(Source.id, Source.workspace_id))
    return {row.id: row.workspace_id for row in rows}


def open_targets(session: Session) -> Sequence[RegulationTarget]:
    """Of what is under way, where something is left to do."""
    target = RegulationTarget
    return session.scalars(
        select(target)
        .join(Regulation, Regulation.id == target.regulation_id)
        .where(Regulation.status == RUNNING, target.status.not_in(FINAL))
        .order_by(Regulation.created_at, target.regulation_id, target.destination_id)
    ).all()


def due_retries(session: Session, target: RegulationTarget, now: int, limit: int) -> list[RegulationRetry]:
    row = RegulationRetry
    return list(
        session.scalars(
            select(row)
            .where(
                row.regulation_id == target.regulation_id,
                row.destination_id == target.destination_id,
                row.due_at <= now,
            )
            .order_by(row.due_at)
            .limit(limit)
        )
    )


def has_retries(session: Session, target: RegulationTarget) -> bool:
    row = RegulationRetry
    query = select(row.subject).where(
        row.regulation_id == target.regulation_id, row.destination_id == target.destination_id
    )
    return session.scalar(query.limit(1)) is not None


def door_is_erased(session: Session, ids: Iterable[str], now: int) -> None:
    for id in ids:
        if (regulation := session.get(Regulation, id)) is not None:
            regulation.door_erased = True
            settle(session, regulation, now)


def log_is_erased(session: Session, ids: Iterable[str], offset: int, now: int, *, wholly: bool) -> None:
    """Up to `offset`; `wholly` if nothing is left above it either."""
    for id in ids:
        if (regulation := session.get(Regulation, id)) is not None:
            regulation.log_offset = max(regulation.log_offset, offset)
            regulation.log_erased = wholly
            settle(session, regulation, now)


def settle(session: Session, regulation: Regulation, now: int) -> None:
    """End a regulation all parts of which are done."""
    session.flush()
    if regulation.status != RUNNING or not (regulation.door_erased and regulation.log_erased):
        return
    target = RegulationTarget
    found = session.execute(
        select(target.status, target.forwards).where(target.regulation_id == regulation.id)
    ).all()
    if all(status in FINAL for status, _ in found):
        regulation.status = overall(status for status, forwards in found if forwards)
        regulation.finished_at = regulation.updated_at = now
