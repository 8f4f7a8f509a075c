"""Functions, their versions, and where insert functions are inserted; edge functions (spec §10, §18.1).

A destination that is a function is a `Destination` (`onward.workspace.function_catalogue`).
"""

from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from onward.workspace.entities.base import Entity, Json, Resource
from onward.workspace.entities.connections import Destination, Source
from onward.workspace.ids import resource_id


class Function(Resource):
    """Code of the workspace's own. What it does is said by its versions."""

    __tablename__ = "function"
    __table_args__ = (UniqueConstraint("workspace_id", "kind", "name"), Index(None, "created_at", "id"))
    event_name = "Function"
    resource_type = "function"

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    kind: Mapped[str]
    """`SOURCE`, `DESTINATION`, `INSERT_DESTINATION` or `INSERT_SOURCE`."""
    name: Mapped[str]
    """Without the workspace's, which the Public API appends."""
    description: Mapped[str]
    logo_url: Mapped[str]
    created_by: Mapped[str]
    """Id of the user or token, or the name of the command."""
    catalog_id: Mapped[str] = mapped_column(String(24), unique=True)
    """Its metadataId, as long as those of the catalogue."""
    batch_max_count: Mapped[int]
    """Events that its batch handler is given at most."""
    monthly_hours: Mapped[float | None]
    """Wall time that it may use in a month; None for no limit of its own."""
    latest_id: Mapped[str] = mapped_column(String(32))
    """Id of the version that was saved or restored last."""
    deployed_id: Mapped[str | None] = mapped_column(String(32))
    """Id of the version that was deployed last: what is connected runs it, and what it was deployed to. Other
    instances run older ones."""
    deployed_at: Mapped[int | None]


class FunctionVersion(Entity):
    """One save of a function. Never changed but for when it was deployed."""

    __tablename__ = "function_version"
    __table_args__ = (UniqueConstraint("function_id", "number"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=resource_id)
    function_id: Mapped[str] = mapped_column(ForeignKey("function.id", ondelete="CASCADE"))
    number: Mapped[int]
    """1, 2, 3, … of the function, without gaps."""
    code: Mapped[str]
    """As it was written."""
    language: Mapped[str] = mapped_column(server_default="JAVASCRIPT")
    """`JAVASCRIPT` or `TYPESCRIPT`."""
    compiled: Mapped[str | None]
    """The JavaScript that runs, if it is not the code itself."""
    handlers: Mapped[list[Any] | None]
    """Names of those that the code has; None if nobody could look."""
    settings: Mapped[list[Any]]
    """`onward.workspace.function_catalogue.FunctionSetting` each."""
    author: Mapped[str]
    created_at: Mapped[int]
    deployed_at: Mapped[int | None]

    @property
    def runs(self) -> str:
        """The JavaScript that runs."""
        return self.code if self.compiled is None else self.compiled


class InsertInstance(Resource):
    """An insert function before a destination, or after a source: one of the two."""

    __tablename__ = "insert_function_instance"
    __table_args__ = (Index(None, "created_at", "id"), Index(None, "function_id"))
    event_name = "Insert Function Instance"
    resource_type = "insert_function_instance"

    function_id: Mapped[str] = mapped_column(ForeignKey("function.id", ondelete="CASCADE"))
    function_version_id: Mapped[str] = mapped_column(String(32))
    """Id of the version that it runs."""
    destination_id: Mapped[str | None] = mapped_column(
        ForeignKey("destination.id", ondelete="CASCADE"), unique=True
    )
    source_id: Mapped[str | None] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"), unique=True)
    name: Mapped[str]
    enabled: Mapped[bool]
    settings: Mapped[Json] = mapped_column(default=dict)
    secrets: Mapped[Json] = mapped_column(default=dict)
    """Setting → its value, encrypted."""

    function: Mapped[Function] = relationship()
    destination: Mapped[Destination | None] = relationship()
    source: Mapped[Source | None] = relationship()

    @property
    def integration_id(self) -> str:
        return self.destination_id or self.source_id or ""


class EdgeFunction(Resource):
    """A bundle of code that the mobile libraries of a source load; the one of the highest version counts."""

    __tablename__ = "edge_function"
    __table_args__ = (UniqueConstraint("source_id", "version"),)
    event_name = "Edge Function"
    resource_type = "edge_function"

    source_id: Mapped[str] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"))
    version: Mapped[int]
    download_url: Mapped[str]
    """Where it is; '' for none: switched off."""
    created_by: Mapped[str]
