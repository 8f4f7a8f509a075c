"""Who uses a workspace, and what they may do (spec §17.1).

A user is known to the whole installation and belongs to workspaces by memberships. Passwords, and the
tokens of sessions, invitations and password resets, are only kept as hashes.
"""

from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from onward.workspace.entities.base import Entity, Resource
from onward.workspace.ids import resource_id


class User(Resource):
    __tablename__ = "user"
    event_name = "User"
    resource_type = "user"

    email: Mapped[str] = mapped_column(String(320), unique=True)
    """In lower case."""
    name: Mapped[str]
    password_hash: Mapped[str | None]
    """Argon2id; None for who only signs in by another identity provider, or has set none yet."""
    subject: Mapped[str | None] = mapped_column(unique=True)
    """`issuer#sub` of the identity provider."""


class Membership(Entity):
    """That a user belongs to a workspace."""

    __tablename__ = "membership"

    workspace_id: Mapped[str] = mapped_column(
        ForeignKey("workspace.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[str] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    created_at: Mapped[int]


class Group(Resource):
    """Users who may do the same."""

    __tablename__ = "user_group"
    __table_args__ = (UniqueConstraint("workspace_id", "name"), Index(None, "created_at", "id"))
    event_name = "User Group"
    resource_type = "user_group"

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    name: Mapped[str]


class GroupMember(Entity):
    """A user's place in a group, or that of someone who is invited."""

    __tablename__ = "group_member"

    group_id: Mapped[str] = mapped_column(ForeignKey("user_group.id", ondelete="CASCADE"), primary_key=True)
    email: Mapped[str] = mapped_column(String(320), primary_key=True, index=True)
    """Of a user or of an invitation: who is invited has no user yet."""


class Grant(Entity):
    """A role that a user, group, invitation or token has in a workspace, and for what."""

    __tablename__ = "grant"
    __table_args__ = (Index(None, "workspace_id", "subject_id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=resource_id)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    subject_id: Mapped[str] = mapped_column(String(32))
    """Id of a user, a group, an invitation or a token."""
    role: Mapped[str]
    """Slug in `onward.workspace.roles`."""
    resources: Mapped[list[Any]]
    """`{"type", "id", "labels"?}` each. Of type WORKSPACE: for everything. With labels: for all of that
    type that have every one of them, now and later."""


class Invite(Resource):
    """An invitation to a workspace, accepted by its one-time link."""

    __tablename__ = "invite"
    __table_args__ = (UniqueConstraint("workspace_id", "email"), Index(None, "created_at", "id"))
    event_name = "Invite"
    resource_type = "invite"

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(String(320))
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of the link's token."""
    expires_at: Mapped[int]

    @property
    def name(self) -> str:
        """Whose it is; of the first start, nobody's yet."""
        return self.email or "the first owner"


class Session(Entity):
    """A browser that is signed in."""

    __tablename__ = "session"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the cookie's token."""
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[int]
    expires_at: Mapped[int] = mapped_column(index=True)
    csrf: Mapped[str] = mapped_column(String(64))
    """What requests that change something must repeat in a header."""
    agent: Mapped[str]
    """What the browser says it is, so that people can tell their sessions apart."""


class Label(Resource):
    """A label of the workspace, that sources and grants may bear."""

    __tablename__ = "label"
    __table_args__ = (UniqueConstraint("workspace_id", "key", "value"),)
    event_name = "Label"
    resource_type = "label"

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    key: Mapped[str]
    value: Mapped[str]
    description: Mapped[str | None]

    @property
    def name(self) -> str:
        return f"{self.key}:{self.value}"
