"""Alerts: rules, what they are about now, and what was said because of them (spec §12.6)."""

from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from onward.workspace.entities.base import Entity, Json, Resource
from onward.workspace.ids import resource_id


class Alert(Resource):
    """A rule: when to say something, and where."""

    __tablename__ = "alert"
    __table_args__ = (Index(None, "created_at", "id"),)
    event_name = "Alert"
    resource_type = "alert"

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    name: Mapped[str]
    kind: Mapped[str]
    """See `onward.workspace.alerts.KINDS`."""
    source_id: Mapped[str | None] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"), index=True)
    """Of this source alone; None for all."""
    destination_id: Mapped[str | None] = mapped_column(
        ForeignKey("destination.id", ondelete="CASCADE"), index=True
    )
    threshold: Mapped[float]
    minutes: Mapped[int]
    enabled: Mapped[bool]
    channels: Mapped[list[Any]] = mapped_column(default=list)
    """`{"type", "address"}` each, without addresses that are secrets."""
    secrets: Mapped[Json] = mapped_column(default=dict)
    """Place of a channel → its address, encrypted."""


class AlertState(Entity):
    """That a rule is broken by something, since when. There is none while it is kept."""

    __tablename__ = "alert_state"

    alert_id: Mapped[str] = mapped_column(ForeignKey("alert.id", ondelete="CASCADE"), primary_key=True)
    target: Mapped[str] = mapped_column(primary_key=True)
    """Id of the source or destination; '' for the installation or the workspace."""
    since: Mapped[int]
    summary: Mapped[str]


class Notification(Entity):
    """What was said: kept as the list that people see in the app."""

    __tablename__ = "notification"
    __table_args__ = (Index(None, "workspace_id", "created_at", "id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=resource_id)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    created_at: Mapped[int]
    alert_id: Mapped[str]
    """The alert may be gone."""
    name: Mapped[str]
    """The alert's."""
    kind: Mapped[str]
    source_id: Mapped[str | None]
    """Whose readers may see it; None for who may see all sources."""
    target: Mapped[str]
    status: Mapped[str]
    """`TRIGGERED` or `RESOLVED`."""
    summary: Mapped[str]


class AlertMessage(Entity):
    """A message that has still to go out over a channel; deleted when it has."""

    __tablename__ = "alert_message"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    notification_id: Mapped[str] = mapped_column(
        ForeignKey("notification.id", ondelete="CASCADE"), index=True
    )
    alert_id: Mapped[str] = mapped_column(ForeignKey("alert.id", ondelete="CASCADE"), index=True)
    channel: Mapped[int]
    """Its place in the alert's."""
    attempts: Mapped[int]
    due_at: Mapped[int] = mapped_column(index=True)
