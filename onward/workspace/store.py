"""The one way to read and change a workspace.

A change is one transaction: entities, audit events, version and compiled snapshot are committed together
or not at all. What if the process dies in between? Then nothing happened. Changes run one after the
other; a change that turns out to change nothing makes no version and no audit event.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from onward.settings import Settings
from onward.workspace import audit, audit_trail, compile
from onward.workspace.database import open_engine, reading, writing
from onward.workspace.definitions import Catalogue
from onward.workspace.entities import AuditEvent, Resource, Workspace
from onward.workspace.errors import NotFound
from onward.workspace.function_catalogue import WorkspaceCatalogue
from onward.workspace.function_code import CheckCode, unchecked
from onward.workspace.keyring import load_cipher
from onward.workspace.secrets import Cipher

HOUR_MS = 3_600_000

Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who makes a change: a token, a user, or a command."""

    id: str
    email: str | None = None


@dataclass(kw_only=True)
class Editor:
    """One change in progress: what the functions that edit the workspace work on."""

    session: Session
    workspace: Workspace
    catalogue: Catalogue
    """With the workspace's destination functions."""
    cipher: Cipher
    actor: Actor
    now: int
    """Milliseconds since the epoch; the time of everything in this change."""
    version: int
    """The version that this change makes."""
    max_functions: int
    """Functions that a workspace may have."""
    check_code: CheckCode
    """What a function's code goes through when it is saved."""
    events: list[AuditEvent] = field(default_factory=list)

    def created(self, entity: Resource) -> None:
        self.session.add(entity)
        self.session.flush()
        self.record(entity, audit.event_type(entity, "Created"), None, audit.state(entity))

    def modified(self, entity: Resource, before: audit.State) -> bool:
        """Say that `entity` was changed from `before` (`audit.state`); whether anything differs."""
        after = audit.state(entity)
        verb = audit.verb(before, after)
        if verb is None:
            return False
        entity.updated_at = self.now
        self.session.flush()
        self.record(entity, audit.event_type(entity, verb), before, after)
        return True

    def deleted(self, entity: Resource) -> None:
        self.record(entity, audit.event_type(entity, "Deleted"), audit.state(entity), None)
        self.session.delete(entity)
        self.session.flush()

    def record(
        self, entity: Resource, type: str, before: audit.State | None, after: audit.State | None
    ) -> None:
        """Write an audit event down; `created`, `modified` and `deleted` do it for what they name."""
        event = AuditEvent(
            workspace_id=self.workspace.id,
            timestamp=self.now,
            type=type,
            actor=self.actor.id,
            actor_email=self.actor.email,
            resource_id=entity.id,
            resource_type=entity.resource_type,
            resource_name=audit.resource_name(entity),
            before=audit.masked(before),
            after=audit.masked(after, before),
            version=self.version,
        )
        audit_trail.write(self.session, event)
        self.events.append(event)


class _Undo(Exception):
    """Rolls a dry run back."""


class Store:
    """The configuration database with its key and the catalogue it is checked against."""

    def __init__(
        self,
        engine: Engine,
        cipher: Cipher,
        catalogue: Catalogue,
        *,
        snapshot_retention_hours: float = 168.0,
        max_functions: int = 25,
        check_code: CheckCode = unchecked,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.engine = engine
        self.cipher = cipher
        self.catalogue = catalogue
        self._snapshot_retention_ms = int(snapshot_retention_hours * HOUR_MS)
        self._max_functions = max_functions
        self.check_code = check_code
        self._clock = clock
        self._turn = Lock()
        """Changes of one process wait here, each for its turn, however many there are: at the database each
        would try again and again, and give up after a while."""

    @classmethod
    def open(cls, settings: Settings, catalogue: Catalogue, check_code: CheckCode = unchecked) -> "Store":
        """The store of a data folder that `bootstrap` has set up. Snapshots are kept as long as the log."""
        return cls(
            open_engine(settings),
            load_cipher(settings),
            catalogue,
            snapshot_retention_hours=settings.log_retention_hours,
            max_functions=settings.max_functions,
            check_code=check_code,
        )

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return int(self._clock() * 1000)

    def default_workspace_id(self) -> str:
        """The workspace that `bootstrap` made."""
        with self.reading() as session:
            oldest = select(Workspace.id).order_by(Workspace.created_at, Workspace.id).limit(1)
            return find(session.scalar(oldest), "workspace", "default")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with reading(self.engine) as session:
            yield session

    @contextmanager
    def plainly(self) -> Iterator[Session]:
        """A session for what is not configuration, such as who is signed in: no version, no audit trail."""
        with self._turn, writing(self.engine) as session:
            yield session

    @contextmanager
    def changing(self, workspace_id: str, actor: Actor, *, dry_run: bool = False) -> Iterator[Editor]:
        """An editor whose change is committed at the end; a dry run undoes it instead."""
        with suppress(_Undo), self._turn, writing(self.engine) as session:
            workspace = session.get(Workspace, workspace_id)
            if workspace is None:
                raise NotFound(f"there is no workspace {workspace_id}")
            now = self.now()
            editor = Editor(
                session=session,
                workspace=workspace,
                catalogue=WorkspaceCatalogue(self.catalogue, session, workspace),
                cipher=self.cipher,
                actor=actor,
                now=now,
                version=compile.take_version(session),
                max_functions=self._max_functions,
                check_code=self.check_code,
            )
            yield editor
            if editor.events:
                compile.publish(
                    session, self.cipher, editor.version, now, keep_since=now - self._snapshot_retention_ms
                )
            if dry_run:
                raise _Undo


def find(entity: Found | None, what: str, id: str) -> Found:
    """`entity`, or `NotFound` saying what was looked for."""
    if entity is None:
        raise NotFound(f"there is no {what} {id}")
    return entity
