"""What the installation keeps of itself: tokens, versions, snapshots, the audit trail."""

from sqlalchemy import JSON, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from onward.workspace.entities.base import Entity, Json, Resource
from onward.workspace.ids import resource_id


class Token(Resource):
    """A Public API token. Only its SHA-256 is kept; the token itself is shown once. What it may do is said
    by its `Grant`s."""

    __tablename__ = "token"
    event_name = "Token"
    resource_type = "token"

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of the token, hexadecimal. Tokens are long and random, so nothing slower is needed."""
    created_by: Mapped[str | None]
    """Id of the user who made it."""


class Revision(Entity):
    """One row: the version of the configuration. Every change takes it, so changes happen one by one."""

    __tablename__ = "revision"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]


class StoredSnapshot(Entity):
    """A compiled snapshot, kept to explain what was done while it was the current one."""

    __tablename__ = "snapshot"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    created_at: Mapped[int] = mapped_column(index=True)
    body: Mapped[bytes]
    """Encrypted, for it holds secrets; see `onward.workspace.compile`."""


class AuditEvent(Entity):
    """Who changed what (spec §17.2), written in the transaction of the change itself."""

    __tablename__ = "audit_event"
    __table_args__ = (Index(None, "workspace_id", "timestamp", "id"), Index(None, "resource_id"))

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=resource_id)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    timestamp: Mapped[int]
    type: Mapped[str]
    actor: Mapped[str]
    """Id of the token or user, or the name of the command."""
    actor_email: Mapped[str | None]
    resource_id: Mapped[str]
    resource_type: Mapped[str]
    resource_name: Mapped[str]
    before: Mapped[Json | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[Json | None] = mapped_column(JSON(none_as_null=True))
    version: Mapped[int]
    """The configuration's version that the change made; of what is no change, the one in force."""


class AuditForwarding(Entity):
    """That a workspace's audit events are forwarded to one of its sources."""

    __tablename__ = "audit_forwarding"

    workspace_id: Mapped[str] = mapped_column(
        ForeignKey("workspace.id", ondelete="CASCADE"), primary_key=True
    )
    source_id: Mapped[str] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"), index=True)


class AuditOutbox(Entity):
    """An audit event that waits to be forwarded; the oldest has the smallest id."""

    __tablename__ = "audit_outbox"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    event_id: Mapped[str] = mapped_column(ForeignKey("audit_event.id", ondelete="CASCADE"), index=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"), index=True)
    """Where it goes: the source that was set when it was written."""
