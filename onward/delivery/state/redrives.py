"""Requests to send discards again, in `state.db` (`onward.delivery.redrive`)."""

import sqlite3
from typing import Any

import msgspec

from onward.metering.fates import Redrive

COLUMNS = tuple(field.name for field in msgspec.structs.fields(Redrive))
NAMES = ", ".join(f'"{name}"' for name in COLUMNS)
MATCHES = (
    "destination_id = ?1 AND id > ?2 AND id <= ?3 AND at >= ?4 AND at < ?5 AND (?6 IS NULL OR code = ?6)"
    " AND (?7 IS NULL OR subscription_id = ?7) AND (?8 IS NULL OR message_id = ?8)"
    " AND (?9 IS NULL OR id = ?9)"
)
"""Discards that a request asks for and has not come to; takes `values`."""


def ask(db: sqlite3.Connection, destination_id: str, wanted: Redrive, now: float) -> int:
    (last,) = db.execute(
        "SELECT coalesce(max(id), 0) FROM discard WHERE destination_id = ?", (destination_id,)
    ).fetchone()
    row = msgspec.structs.asdict(wanted) | {
        "id": None,
        "asked_at": int(now * 1000),
        "last_id": last,
        "as_it_was": int(wanted.as_it_was),
    }
    places = ", ".join(f":{name}" for name in COLUMNS)
    done = db.execute(
        f"INSERT INTO redrive ({NAMES}, destination_id) VALUES ({places}, :destination_id)",
        row | {"destination_id": destination_id},
    )
    return done.lastrowid or 0


def listed(
    db: sqlite3.Connection, destination_id: str, limit: int, *, open_only: bool = False
) -> list[Redrive]:
    """The newest first; with `open_only` those that are not done, the oldest first."""
    where = "AND finished_at IS NULL ORDER BY id" if open_only else "ORDER BY id DESC"
    rows = db.execute(
        f"SELECT {NAMES} FROM redrive WHERE destination_id = ? {where} LIMIT ?", (destination_id, limit)
    ).fetchall()
    return [_redrive(row) for row in rows]


def values(destination_id: str, wanted: Redrive) -> tuple[Any, ...]:
    return (
        destination_id,
        wanted.reached,
        wanted.last_id,
        wanted.start,
        wanted.end,
        wanted.code,
        wanted.subscription_id,
        wanted.message_id,
        wanted.discard_id,
    )


def move(db: sqlite3.Connection, destination_id: str, redriven: list[tuple[int, int]]) -> None:
    """Take discards off the books that were sent again. In a transaction of the caller's."""
    db.executemany(
        "DELETE FROM discard WHERE id = ? AND destination_id = ?",
        [(id, destination_id) for _, id in redriven],
    )
    db.executemany(
        "UPDATE redrive SET reached = max(reached, ?), done = done + 1 WHERE id = ?",
        [(discard, id) for id, discard in redriven],
    )


def _redrive(row: tuple[Any, ...]) -> Redrive:
    found = dict(zip(COLUMNS, row, strict=True))
    return Redrive(**(found | {"as_it_was": bool(found["as_it_was"])}))
