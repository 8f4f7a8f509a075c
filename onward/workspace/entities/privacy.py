"""Requests to delete or suppress people, and who is suppressed (spec §16.1)."""

from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from onward.workspace.entities.base import Entity, Resource


class Regulation(Resource):
    """A request about some people. A deletion is done when the door's samples, the event log and all of its
    targets are; what suppresses alone is done at once."""

    __tablename__ = "regulation"
    __table_args__ = (
        Index(None, "workspace_id", "created_at", "id"),
        Index(None, "status"),
    )
    event_name = "Workspace Regulation"
    resource_type = "regulation"

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    source_id: Mapped[str] = mapped_column(String(32))
    """Of the one source that it is about; '' for the whole workspace."""
    kind: Mapped[str]
    """`SUPPRESS_ONLY`, … (`onward.workspace.regulations`)."""
    subjects: Mapped[list[Any]]
    """User ids."""
    status: Mapped[str]
    door_erased: Mapped[bool]
    """Whether the front door's samples are gone."""
    log_erased: Mapped[bool]
    log_offset: Mapped[int]
    """The event log is erased up to here."""
    finished_at: Mapped[int | None]

    @property
    def name(self) -> str:
        return self.kind


class RegulationTarget(Entity):
    """What a deletion has to do at one destination: forget what is kept for it, then tell the tool."""

    __tablename__ = "regulation_target"

    regulation_id: Mapped[str] = mapped_column(
        ForeignKey("regulation.id", ondelete="CASCADE"), primary_key=True
    )
    destination_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    """No reference: the destination may be deleted meanwhile, and the answer still names it."""
    source_id: Mapped[str] = mapped_column(String(32))
    name: Mapped[str]
    forwards: Mapped[bool]
    """Whether the tool is told."""
    purged: Mapped[bool]
    """Whether the state store holds nothing of these people for the destination any more."""
    status: Mapped[str]
    next_subject: Mapped[int]
    """Position of the first subject that the tool has not been told of yet."""
    succeeded: Mapped[int]
    failed: Mapped[int]
    error: Mapped[str]
    """Why a subject could not be deleted: the latest reason."""
    finished_at: Mapped[int | None]


class RegulationRetry(Entity):
    """A subject that a tool has to be told of once more."""

    __tablename__ = "regulation_retry"
    __table_args__ = (Index(None, "due_at"),)

    regulation_id: Mapped[str] = mapped_column(
        ForeignKey("regulation.id", ondelete="CASCADE"), primary_key=True
    )
    destination_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    subject: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Position in `Regulation.subjects`."""
    attempt: Mapped[int]
    """Attempts made so far."""
    due_at: Mapped[int]
    """Milliseconds since the epoch, as all times here."""
    deadline: Mapped[int]


class Suppression(Entity):
    """A user id whose events are dropped at the door. A lifted one stays for a while, inactive, so that the
    door learns of it by its version."""

    __tablename__ = "suppression"
    __table_args__ = (Index(None, "version"), Index(None, "regulation_id"))

    workspace_id: Mapped[str] = mapped_column(
        ForeignKey("workspace.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[str] = mapped_column(primary_key=True)
    source_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    """'' for all sources of the workspace."""
    active: Mapped[bool]
    version: Mapped[int]
    """The configuration's version that changed it last."""
    regulation_id: Mapped[str] = mapped_column(String(32))
    """What suppressed it."""
    changed_at: Mapped[int]
