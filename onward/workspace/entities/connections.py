"""Workspaces, sources, destinations, and what is between them (spec §1).

A secret setting is stored in `Destination.secrets`, encrypted, and never in `Destination.settings`.
"""

from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from onward.workspace.entities.base import Entity, Json, Resource


class Workspace(Resource):
    __tablename__ = "workspace"
    event_name = "Workspace"
    resource_type = "workspace"

    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]


class Source(Resource):
    __tablename__ = "source"
    event_name = "Source"
    resource_type = "source"
    __table_args__ = (UniqueConstraint("workspace_id", "slug"), Index(None, "created_at", "id"))

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    slug: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    """Slug of the entry in the catalogue of sources, such as `python`."""
    enabled: Mapped[bool]
    settings: Mapped[Json] = mapped_column(default=dict)
    secrets: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    """Of a source that is a function: setting → its value, encrypted."""
    function_version_id: Mapped[str | None] = mapped_column(String(32))
    """Of a source that is a function: id of the version that it runs."""
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


class Destination(Resource):
    """One instance of a definition, connected to one source (spec §8.4)."""

    __tablename__ = "destination"
    event_name = "Integration"
    resource_type = "destination"
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
    function_version_id: Mapped[str | None] = mapped_column(String(32))
    """Of a destination that is a function: id of the version that it runs."""

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


class Subscription(Resource):
    """A mapping of an Actions destination (spec §9.8)."""

    __tablename__ = "subscription"
    event_name = "Destination Subscription"
    resource_type = "destination_subscription"
    __table_args__ = (Index(None, "destination_id", "created_at", "id"),)

    destination_id: Mapped[str] = mapped_column(ForeignKey("destination.id", ondelete="CASCADE"))
    name: Mapped[str]
    action: Mapped[str]
    """Slug of the action."""
    trigger: Mapped[str]
    mapping: Mapped[Json] = mapped_column(default=dict)
    enabled: Mapped[bool]

    destination: Mapped[Destination] = relationship(back_populates="subscriptions")


class Filter(Resource):
    """A destination filter (spec §6.3)."""

    __tablename__ = "filter"
    event_name = "Destination Filter"
    resource_type = "destination_filter"
    __table_args__ = (Index(None, "destination_id", "created_at", "id"),)

    destination_id: Mapped[str] = mapped_column(ForeignKey("destination.id", ondelete="CASCADE"))
    title: Mapped[str]
    description: Mapped[str | None]
    condition: Mapped[str]
    actions: Mapped[list[Any]]
    enabled: Mapped[bool]

    destination: Mapped[Destination] = relationship(back_populates="filters")
