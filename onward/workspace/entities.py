"""What a workspace consists of, as tables (spec §1).

Times are milliseconds since the epoch. Everything here runs unchanged on SQLite and PostgreSQL.
A secret setting is stored in `Destination.secrets`, encrypted, and never in `Destination.settings`.
"""

from typing import Any, ClassVar

from msgspec import json
from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from onward.workspace.ids import resource_id

Json = dict[str, Any]

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
"""Constraints have the same names in every database, so that migrations can address them."""


class Document(TypeDecorator[Any]):
    """JSON that counts as changed where Python sees no difference: true and 1, 1 and 1.0."""

    impl = JSON
    cache_ok = True

    def compare_values(self, x: Any, y: Any) -> bool:
        return same_json(x, y)


def same_json(x: Any, y: Any) -> bool:
    """Whether two values are the same JSON, whatever the order of keys."""
    return json.encode(x, order="deterministic") == json.encode(y, order="deterministic")


class Entity(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: String(),
        int: BigInteger(),
        bytes: LargeBinary(),
        Json: Document(),
        list[Any]: Document(),
    }


class Resource:
    """The columns that everything with an id of its own has."""

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=resource_id)
    created_at: Mapped[int]
    updated_at: Mapped[int]


class Workspace(Resource, Entity):
    __tablename__ = "workspace"

    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]


class Source(Resource, Entity):
    __tablename__ = "source"
    __table_args__ = (UniqueConstraint("workspace_id", "slug"), Index(None, "created_at", "id"))

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    slug: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    """Slug of the entry in the catalogue of sources, such as `python`."""
    enabled: Mapped[bool]
    settings: Mapped[Json] = mapped_column(default=dict)
    labels: Mapped[list[Any]] = mapped_column(default=list)
    """Label objects `{"key", "value", "description"?}`."""
    rate_limit: Mapped[float | None]
    """Accepted requests a second."""

    write_keys: Mapped[list["WriteKey"]] = relationship(
        back_populates="source",
        cascade="all, delete-orphan",
        passive_deletes=True,
        order_by="(WriteKey.created_at, WriteKey.key)",
    )
    destinations: Mapped[list["Destination"]] = relationship(
        back_populates="source",
        cascade="all, delete-orphan",
        passive_deletes=True,
        order_by="(Destination.created_at, Destination.id)",
    )


class WriteKey(Entity):
    __tablename__ = "write_key"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[int]

    source: Mapped[Source] = relationship(back_populates="write_keys")


class Destination(Resource, Entity):
    """One instance of a definition, connected to one source (spec §8.4)."""

    __tablename__ = "destination"
    __table_args__ = (UniqueConstraint("source_id", "name"), Index(None, "created_at", "id"))

    source_id: Mapped[str] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"), index=True)
    definition: Mapped[str]
    """Slug of the definition in the catalogue of destinations."""
    name: Mapped[str]
    enabled: Mapped[bool]
    active: Mapped[list[Any]] = mapped_column(default=list)
    """Spans `[from, until | null]` in ms in which it was enabled, oldest first."""
    settings: Mapped[Json] = mapped_column(default=dict)
    secrets: Mapped[Json] = mapped_column(default=dict)
    """Setting → its value, encrypted."""
    delivery: Mapped[Json] = mapped_column(default=dict)
    """What differs from the default `DeliveryPolicy`, by its field names."""

    source: Mapped[Source] = relationship(back_populates="destinations")
    subscriptions: Mapped[list["Subscription"]] = relationship(
        back_populates="destination",
        cascade="all, delete-orphan",
        passive_deletes=True,
        order_by="(Subscription.created_at, Subscription.id)",
    )
    filters: Mapped[list["Filter"]] = relationship(
        back_populates="destination",
        cascade="all, delete-orphan",
        passive_deletes=True,
        order_by="(Filter.created_at, Filter.id)",
    )


class Subscription(Resource, Entity):
    """A mapping of an Actions destination (spec §9.8)."""

    __tablename__ = "subscription"
    __table_args__ = (Index(None, "destination_id", "created_at", "id"),)

    destination_id: Mapped[str] = mapped_column(ForeignKey("destination.id", ondelete="CASCADE"))
    name: Mapped[str]
    action: Mapped[str]
    """Slug of the action."""
    trigger: Mapped[str]
    mapping: Mapped[Json] = mapped_column(default=dict)
    enabled: Mapped[bool]

    destination: Mapped[Destination] = relationship(back_populates="subscriptions")


class Filter(Resource, Entity):
    """A destination filter (spec §6.3)."""

    __tablename__ = "filter"
    __table_args__ = (Index(None, "destination_id", "created_at", "id"),)

    destination_id: Mapped[str] = mapped_column(ForeignKey("destination.id", ondelete="CASCADE"))
    title: Mapped[str]
    description: Mapped[str | None]
    condition: Mapped[str]
    actions: Mapped[list[Any]]
    enabled: Mapped[bool]

    destination: Mapped[Destination] = relationship(back_populates="filters")


class Token(Resource, Entity):
    """A Public API token. Only its SHA-256 is kept; the token itself is shown once."""

    __tablename__ = "token"

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    role: Mapped[str]
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of the token, hexadecimal. Tokens are long and random, so nothing slower is needed."""


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
    """The configuration's version that the change made."""
