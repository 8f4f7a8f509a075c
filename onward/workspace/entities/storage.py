"""Warehouses, what is synced to them, and the models that rows are read back by (spec §14.4–14.5, §15)."""

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from onward.workspace.entities.base import Entity, Json, Resource


class Warehouse(Resource):
    __tablename__ = "warehouse"
    __table_args__ = (Index(None, "created_at", "id"),)
    event_name = "Storage Destination"
    resource_type = "warehouse"

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    kind: Mapped[str]
    """Slug of the entry in the catalogue of warehouses, such as `postgres`."""
    name: Mapped[str]
    """'' if it has none."""
    enabled: Mapped[bool]
    settings: Mapped[Json] = mapped_column(default=dict)
    secrets: Mapped[Json] = mapped_column(default=dict)
    """Setting → its value, encrypted."""
    schedule: Mapped[Json] = mapped_column(default=dict)
    """`{"enabled", "times", "timezone"}`; empty for Onward's own pace."""


class WarehouseSource(Entity):
    """That a source is synced to a warehouse."""

    __tablename__ = "warehouse_source"

    warehouse_id: Mapped[str] = mapped_column(
        ForeignKey("warehouse.id", ondelete="CASCADE"), primary_key=True
    )
    source_id: Mapped[str] = mapped_column(
        ForeignKey("source.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    created_at: Mapped[int]


class SelectiveSync(Entity):
    """Whether a source, a collection of it or a property of that is synced; what isn't named here is."""

    __tablename__ = "selective_sync"

    warehouse_id: Mapped[str] = mapped_column(
        ForeignKey("warehouse.id", ondelete="CASCADE"), primary_key=True
    )
    source_id: Mapped[str] = mapped_column(
        ForeignKey("source.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    collection: Mapped[str] = mapped_column(primary_key=True)
    """'' for the source as a whole."""
    property: Mapped[str] = mapped_column(primary_key=True)
    """'' for the collection as a whole."""
    enabled: Mapped[bool]


class ReverseEtlModel(Resource):
    """A query whose rows are sent to destinations (spec §15.1)."""

    __tablename__ = "reverse_etl_model"
    __table_args__ = (Index(None, "created_at", "id"),)
    event_name = "Model"
    resource_type = "reverse_etl_model"

    source_id: Mapped[str] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    description: Mapped[str]
    enabled: Mapped[bool]
    schedule_strategy: Mapped[str]
    schedule_config: Mapped[Json] = mapped_column(default=dict)
    query: Mapped[str]
    identifier_column: Mapped[str] = mapped_column(String())
    """The column of the query that tells rows apart."""
