"""Deletion and suppression of people (spec §16.1): what is asked for, and who is suppressed.

What suppresses is in force with the change itself. What deletes is written down here and done by others
(`onward.workspace.erasure` says by whom); for a moment after it was asked for it can be taken back.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from onward.workspace.entities import (
    Destination,
    Regulation,
    RegulationRetry,
    RegulationTarget,
    Source,
    Suppression,
)
from onward.workspace.errors import Conflict, Invalid, NotFound
from onward.workspace.store import Editor

SUPPRESSING = frozenset({"SUPPRESS_ONLY", "SUPPRESS_WITH_DELETE", "SUPPRESS_WITH_DELETE_INTERNAL"})
FORWARDING = frozenset({"DELETE_ONLY", "SUPPRESS_WITH_DELETE"})
"""What is told to destinations."""
DELETING = FORWARDING | {"DELETE_INTERNAL", "SUPPRESS_WITH_DELETE_INTERNAL"}
KINDS = SUPPRESSING | DELETING | {"UNSUPPRESS"}

USER_ID = "USER_ID"
MOST_SUBJECTS = 5_000
"""In one request (spec §16.1)."""
LONGEST_SUBJECT = 4_096
"""Characters."""
GRACE_MS = 5_000
"""How long a deletion waits, and can be taken back. Long enough also for what was on its way when it was
asked for to be where it is looked for."""
TOMBSTONES_MS = 3_600_000
"""How long a lifted suppression is kept, for the door to learn of it."""
CHUNK = 500

INITIALIZED, RUNNING, FINISHED, FAILED = "INITIALIZED", "RUNNING", "FINISHED", "FAILED"
PARTIAL_SUCCESS, NOT_SUPPORTED, INVALID = "PARTIAL_SUCCESS", "NOT_SUPPORTED", "INVALID"
STATUSES = (INITIALIZED, RUNNING, FINISHED, FAILED, PARTIAL_SUCCESS, NOT_SUPPORTED, INVALID)
FINAL = frozenset({FINISHED, FAILED, PARTIAL_SUCCESS, NOT_SUPPORTED, INVALID})


def find_regulation(session: Session, workspace_id: str, id: str) -> Regulation:
    """Raises `NotFound`."""
    found = session.get(Regulation, id)
    if found is None or found.workspace_id != workspace_id:
        raise NotFound(f"there is no regulation {id}")
    return found


def targets_of(session: Session, regulation: Regulation) -> Sequence[RegulationTarget]:
    """Those that tools are told of, by source."""
    target = RegulationTarget
    return session.scalars(
        select(target)
        .where(target.regulation_id == regulation.id, target.forwards)
        .order_by(target.source_id, target.destination_id)
    ).all()


def create_regulation(
    editor: Editor, kind: str, subject_type: str, subjects: Sequence[str], source: Source | None = None
) -> Regulation:
    """About all sources of the workspace, or one. Raises `Invalid`, or `Conflict` where a source is to take
    back what holds for the whole workspace."""
    if kind not in KINDS:
        raise Invalid(f"this must be one of {', '.join(sorted(KINDS))}", field="regulationType")
    if subject_type != USER_ID:
        raise Invalid(
            f"only {USER_ID} is possible: no objects of cloud sources are kept", field="subjectType"
        )
    ids = _checked(subjects)
    source_id = source.id if source is not None else ""
    deletes = kind in DELETING
    regulation = Regulation(
        workspace_id=editor.workspace.id,
        source_id=source_id,
        kind=kind,
        subjects=ids,
        status=INITIALIZED if deletes else FINISHED,
        door_erased=not deletes,
        log_erased=not deletes,
        log_offset=0,
        finished_at=None if deletes else editor.now,
        created_at=editor.now,
        updated_at=editor.now,
    )
    editor.session.add(regulation)
    editor.session.flush()
    if kind in SUPPRESSING:
        _suppress(editor, regulation)
    elif kind == "UNSUPPRESS":
        _unsuppress(editor, regulation)
    if deletes:
        _add_targets(editor, regulation)
    # People's ids do not belong into a trail that outlasts them.
    shown = {"kind": kind, "source_id": source_id or None, "subjects": len(ids)}
    scope = "Source" if source is not None else "Workspace"
    editor.record(regulation, f"{scope} Regulation Created", None, shown)
    return regulation


def delete_regulation(editor: Editor, regulation: Regulation) -> None:
    """Take back what has not begun; what it suppressed is not any more. Raises `Conflict`."""
    if regulation.status != INITIALIZED:
        raise Conflict(f"this is {regulation.status}, and can be deleted only while it is {INITIALIZED}")
    row = Suppression
    editor.session.execute(
        update(row)
        .where(row.regulation_id == regulation.id, row.active)
        .values(active=False, version=editor.version, changed_at=editor.now)
    )
    for of in (RegulationTarget, RegulationRetry):
        editor.session.execute(delete(of).where(of.regulation_id == regulation.id))
    shown = {"kind": regulation.kind, "subjects": len(regulation.subjects)}
    editor.record(regulation, "Regulation Deleted", shown, None)
    editor.session.delete(regulation)
    editor.session.flush()


def suppressed_page(
    session: Session, workspace_id: str, start: str, count: int
) -> tuple[list[str], str | None, int]:
    """`(user ids, the first id of the next page, number of all)`, from `start` on, in order."""
    row = Suppression
    here = select(row.user_id).where(row.workspace_id == workspace_id, row.active).distinct()
    found = list(session.scalars(here.where(row.user_id >= start).order_by(row.user_id).limit(count + 1)))
    total = session.scalar(select(func.count()).select_from(here.subquery())) or 0
    return found[:count], (found[count] if len(found) > count else None), total


def page_before(session: Session, workspace_id: str, start: str, count: int) -> str | None:
    """The first id of the page before the one that begins with `start`."""
    row = Suppression
    query = (
        select(row.user_id)
        .where(row.workspace_id == workspace_id, row.active, row.user_id < start)
        .distinct()
        .order_by(row.user_id.desc())
        .limit(count)
    )
    return min(session.scalars(query), default=None)


def _checked(subjects: Sequence[str]) -> list[str]:
    """Each once, in order."""
    if not 1 <= len(subjects) <= MOST_SUBJECTS:
        raise Invalid(f"there must be 1 to {MOST_SUBJECTS} of these", field="subjectIds")
    for index, each in enumerate(subjects):
        if not 1 <= len(each) <= LONGEST_SUBJECT:
            raise Invalid(f"an id has 1 to {LONGEST_SUBJECT} characters", field=f"subjectIds[{index}]")
    return list(dict.fromkeys(subjects))


def _suppress(editor: Editor, regulation: Regulation) -> None:
    """Who is suppressed already stays so, by what did it."""
    session, row = editor.session, Suppression
    scope = {"workspace_id": regulation.workspace_id, "source_id": regulation.source_id}
    state = {
        "active": True,
        "version": editor.version,
        "regulation_id": regulation.id,
        "changed_at": editor.now,
    }
    for ids in _chunks(regulation.subjects):
        mine = (
            row.workspace_id == regulation.workspace_id,
            row.source_id == regulation.source_id,
            row.user_id.in_(ids),
        )
        known = set(session.scalars(select(row.user_id).where(*mine)))
        session.execute(
            update(row).where(*mine, ~row.active).values(**state).execution_options(synchronize_session=False)
        )
        fresh = [{**scope, **state, "user_id": id} for id in ids if id not in known]
        if fresh:
            session.execute(insert(row), fresh)


def _unsuppress(editor: Editor, regulation: Regulation) -> None:
    """The workspace's rule precedes those of its sources: it lifts theirs, and they can't lift it."""
    session, row = editor.session, Suppression
    session.execute(delete(row).where(~row.active, row.changed_at < editor.now - TOMBSTONES_MS))
    for ids in _chunks(regulation.subjects):
        theirs = [row.workspace_id == regulation.workspace_id, row.user_id.in_(ids), row.active]
        if regulation.source_id:
            everywhere = session.scalar(select(row.user_id).where(*theirs, row.source_id == "").limit(1))
            if everywhere is not None:
                raise Conflict(
                    f"{everywhere!r} is suppressed in the whole workspace, and can't be unsuppressed for a "
                    "source alone; unsuppress them in the workspace",
                    field="subjectIds",
                )
            theirs.append(row.source_id == regulation.source_id)
        session.execute(
            update(row)
            .where(*theirs)
            .values(active=False, version=editor.version, changed_at=editor.now)
            .execution_options(synchronize_session=False)
        )


def _add_targets(editor: Editor, regulation: Regulation) -> None:
    """Destinations that were ever enabled, as they may know these people; also those disabled by now."""
    query = (
        select(Destination)
        .join(Source, Source.id == Destination.source_id)
        .where(Source.workspace_id == regulation.workspace_id)
        .order_by(Destination.created_at, Destination.id)
    )
    if regulation.source_id:
        query = query.where(Source.id == regulation.source_id)
    editor.session.add_all(
        RegulationTarget(
            regulation_id=regulation.id,
            destination_id=destination.id,
            source_id=destination.source_id,
            name=destination.name,
            forwards=regulation.kind in FORWARDING,
            purged=False,
            status=INITIALIZED,
            next_subject=0,
            succeeded=0,
            failed=0,
            error="",
            finished_at=None,
        )
        for destination in editor.session.scalars(query)
        if destination.active
    )
    editor.session.flush()


def _chunks(items: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), CHUNK):
        yield list(items[start : start + CHUNK])


def overall(statuses: Iterable[str]) -> str:
    """Of a regulation whose destinations have ended: it failed if any did, also one that can't delete
    (spec §22.23)."""
    seen = set(statuses)
    if seen & {FAILED, NOT_SUPPORTED, INVALID}:
        return FAILED
    return PARTIAL_SUCCESS if PARTIAL_SUCCESS in seen else FINISHED
