"""Pages of a list, by keys and not by offsets: what is added or deleted meanwhile shifts nothing.

A cursor names the first item of a page. It is opaque to clients: base64 of `[created_at, id]`.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import Session

from onward.workspace.entities import Resource
from onward.workspace.errors import Invalid

Listed = TypeVar("Listed", bound=Resource)

Key = tuple[Annotated[int, msgspec.Meta(ge=-1, le=2**53)], str]


@dataclass(frozen=True, kw_only=True)
class Page(Generic[Listed]):
    items: Sequence[Listed]
    current: str
    next: str | None
    previous: str | None
    total: int


def page(
    session: Session, query: Select[Listed], entity: type[Listed], size: int, cursor: str | None
) -> Page[Listed]:
    """Up to `size` items of `query`, oldest first, from `cursor` on; raises `Invalid` for a bad cursor."""
    key = tuple_(entity.created_at, entity.id)
    start: Key = (-1, "") if cursor is None else parse_cursor(cursor)
    forwards = query.where(key >= start).order_by(entity.created_at, entity.id).limit(size + 1)
    found = session.scalars(forwards).all()
    backwards = query.where(key < start).order_by(entity.created_at.desc(), entity.id.desc()).limit(size)
    before = session.scalars(backwards).all() if cursor is not None else []
    return Page(
        items=found[:size],
        current=make_cursor((found[0].created_at, found[0].id) if found else start),
        next=make_cursor((found[size].created_at, found[size].id)) if len(found) > size else None,
        previous=make_cursor((before[-1].created_at, before[-1].id)) if before else None,
        total=count(session, query),
    )


def count(session: Session, query: Select[Any]) -> int:
    """Of all that the query finds."""
    return session.scalar(select(func.count()).select_from(query.subquery())) or 0


def make_cursor(key: Key) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def parse_cursor(cursor: str) -> Key:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
        created_at, id = msgspec.json.decode(raw, type=Key)
        return created_at, id
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise Invalid(
            "this cursor is not one of current, next and previous of a former answer",
            field="pagination.cursor",
        ) from None
