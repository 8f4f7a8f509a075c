"""What all tables have in common.

Times are milliseconds since the epoch. Everything here runs unchanged on SQLite and PostgreSQL.
"""

from typing import Any, ClassVar

from msgspec import json
from sqlalchemy import (
    JSON,
    BigInteger,
    LargeBinary,
    MetaData,
    String,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

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


class Resource(Entity):
    """What everything with an id of its own has."""

    __abstract__ = True

    event_name: ClassVar[str]
    """What the audit trail calls it: `Source` in `Source Created` (spec §17.2)."""
    resource_type: ClassVar[str]
    """Its kind in the audit trail: `source`."""

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=resource_id)
    created_at: Mapped[int]
    updated_at: Mapped[int]
