"""What `state.db` keeps of single failures: attempts, and samples with what was sent and answered.

Both are written in the transaction that counts them. Samples are bounded: the newest `SAMPLES_KEPT` of one
mapping, outcome and code.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec
import orjson
import zstandard

from onward.delivery.state.protocol import Changes
from onward.metering.fates import SAMPLES_KEPT, Attempt, Sample

ATTEMPT = ("message_id", "subscription_id", "at", "attempt", "outcome", "code", "message", "due_at")
SAMPLE = (
    *("id", "subscription_id", "outcome", "code", "at"),
    *("received_at", "message_id", "attempt", "message", "body"),
)
IN_BODY = ("event", "payload", "exchanges", "trace", "people")


def write(db: sqlite3.Connection, destination_id: str, change: Changes) -> None:
    """In a transaction of the caller's."""
    db.executemany(
        f"INSERT INTO attempt (destination_id, {', '.join(ATTEMPT)}) VALUES (?{', ?' * len(ATTEMPT)})",
        [(destination_id, *msgspec.structs.astuple(attempt)) for attempt in change.attempts],
    )
    kinds = set()
    for sample in change.samples:
        kinds.add((sample.subscription_id, sample.outcome, sample.code))
        row = (sample.subscription_id, sample.outcome, sample.code, sample.at, sample.received_at)
        db.execute(
            f"INSERT INTO sample (destination_id, {', '.join(SAMPLE[1:])})"
            f" VALUES (?{', ?' * (len(SAMPLE) - 1)})",
            (destination_id, *row, sample.message_id, sample.attempt, sample.message, _pack(sample)),
        )
    for kind in kinds:
        db.execute(
            "DELETE FROM sample WHERE destination_id = ?1 AND subscription_id = ?2 AND outcome = ?3"
            " AND code = ?4 AND id <= (SELECT id FROM sample WHERE destination_id = ?1"
            " AND subscription_id = ?2 AND outcome = ?3 AND code = ?4 ORDER BY id DESC LIMIT 1 OFFSET ?5)",
            (destination_id, *kind, SAMPLES_KEPT),
        )


def samples(
    db: sqlite3.Connection,
    destination_id: str,
    *,
    code: str | None,
    outcome: str | None,
    subscription_id: str | None,
    start: int,
    end: int,
    limit: int,
) -> list[Sample]:
    """Those of the time [start, end) in ms, the newest first."""
    rows = db.execute(
        f"SELECT {', '.join(SAMPLE)} FROM sample WHERE destination_id = ?1 AND (?2 IS NULL OR code = ?2)"
        " AND (?3 IS NULL OR outcome = ?3) AND (?4 IS NULL OR subscription_id = ?4)"
        " AND at >= ?5 AND at < ?6 ORDER BY id DESC LIMIT ?7",
        (destination_id, code, outcome, subscription_id, start, end, limit),
    ).fetchall()
    return [_sample(row) for row in rows]


def attempts(db: sqlite3.Connection, message_id: str) -> list[tuple[str, Attempt]]:
    """Destination and attempt, in the order in which they were made."""
    rows = db.execute(
        f"SELECT destination_id, {', '.join(ATTEMPT)} FROM attempt WHERE message_id = ? ORDER BY id",
        (message_id,),
    ).fetchall()
    return [(row[0], Attempt(**dict(zip(ATTEMPT, row[1:], strict=True)))) for row in rows]


def _pack(sample: Sample) -> bytes:
    text = orjson.dumps({name: getattr(sample, name) for name in IN_BODY}, option=orjson.OPT_NON_STR_KEYS)
    return zstandard.compress(text, 1)


def _sample(row: Sequence[Any]) -> Sample:
    values = dict(zip(SAMPLE, row, strict=True))
    rest = orjson.loads(zstandard.decompress(values.pop("body")))
    return Sample(**values, **rest)
