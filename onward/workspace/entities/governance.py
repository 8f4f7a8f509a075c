"""Tracking plans, schema controls and transformations (spec §5)."""

from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from onward.workspace.entities.base import Document, Entity, Json, Resource


class TrackingPlan(Resource):
    __tablename__ = "tracking_plan"
    __table_args__ = (UniqueConstraint("workspace_id", "slug"), Index(None, "created_at", "id"))
    event_name = "Tracking Plan"
    resource_type = "tracking_plan"

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    name: Mapped[str]
    slug: Mapped[str]
    description: Mapped[str | None]
    type: Mapped[str]
    """LIVE, or a kind that is not connected to sources: ENGAGE, PROPERTY_LIBRARY, RULE_LIBRARY, TEMPLATE."""


class Rule(Resource):
    """What a tracking plan says of one event. Its changes are told as changes of the plan."""

    __tablename__ = "tracking_plan_rule"
    __table_args__ = (
        UniqueConstraint("tracking_plan_id", "type", "key", "version"),
        Index(None, "tracking_plan_id", "created_at", "id"),
    )
    event_name = "Tracking Plan Rule"
    resource_type = "tracking_plan_rule"

    tracking_plan_id: Mapped[str] = mapped_column(ForeignKey("tracking_plan.id", ondelete="CASCADE"))
    type: Mapped[str]
    key: Mapped[str]
    """`""` for a rule that needs none."""
    version: Mapped[int]
    json_schema: Mapped[Any] = mapped_column(Document(), nullable=False)


class PlanConnection(Entity):
    """That a source keeps to a tracking plan: one at most."""

    __tablename__ = "tracking_plan_source"

    source_id: Mapped[str] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"), primary_key=True)
    tracking_plan_id: Mapped[str] = mapped_column(
        ForeignKey("tracking_plan.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[int]


class SchemaSettings(Entity):
    """The schema configuration of a source; a source without one lets everything pass."""

    __tablename__ = "schema_settings"

    source_id: Mapped[str] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"), primary_key=True)
    controls: Mapped[Json] = mapped_column(default=dict)
    """`track`, `identify`, `group`: as the Public API names them, what was set only."""
    violations_to: Mapped[str | None] = mapped_column(ForeignKey("source.id", ondelete="SET NULL"))
    blocked_to: Mapped[str | None] = mapped_column(ForeignKey("source.id", ondelete="SET NULL"))


class SchemaEvent(Entity):
    """The toggles of one event on a source's schema."""

    __tablename__ = "schema_event"

    source_id: Mapped[str] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"), primary_key=True)
    type: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    """Of a track call; `""` for all calls of another type."""
    enabled: Mapped[bool]
    integrations: Mapped[Json] = mapped_column(default=dict)
    """Destination's name → whether the event goes to it."""
    omitted: Mapped[list[Any]] = mapped_column(default=list)
    """Names of properties or traits that are left out."""


class Transformation(Resource):
    __tablename__ = "transformation"
    __table_args__ = (Index(None, "source_id", "created_at", "id"),)
    event_name = "Transformation"
    resource_type = "transformation"

    source_id: Mapped[str] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"))
    destination: Mapped[str | None]
    """Slug of the kind of destinations it is for; None: for all, at the source."""
    name: Mapped[str]
    enabled: Mapped[bool]
    condition: Mapped[str]
    new_event_name: Mapped[str | None]
    changes: Mapped[Json] = mapped_column(default=dict)
    """`propertyRenames`, `propertyValueTransformations`, `fqlDefinedProperties`, `allowProperties`,
    `dropProperties`, `hashPropertiesConfiguration` without its key: as the Public API has them."""
    secrets: Mapped[Json] = mapped_column(default=dict)
    """`key` of the hash, encrypted."""
