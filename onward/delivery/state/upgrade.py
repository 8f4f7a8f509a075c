"""Tables of `state.db` that earlier versions made otherwise. Runs in one transaction before the schema does.

What if the process dies here? SQLite rolls back, and the next start begins again.
"""

import sqlite3


def run(db: sqlite3.Connection) -> None:
    _latency_by_mapping(db)


def _latency_by_mapping(db: sqlite3.Connection) -> None:
    """Latencies were not told apart by mapping: those that are there belong to none."""
    columns = [row[1] for row in db.execute("PRAGMA table_info(latency)")]
    if not columns or "subscription_id" in columns:
        return
    db.execute("ALTER TABLE latency RENAME TO latency_before")
    db.execute(
        "CREATE TABLE latency (destination_id TEXT NOT NULL, minute INTEGER NOT NULL,"
        " subscription_id TEXT NOT NULL, bucket INTEGER NOT NULL, count INTEGER NOT NULL,"
        " PRIMARY KEY (destination_id, minute, subscription_id, bucket)) STRICT, WITHOUT ROWID"
    )
    db.execute("INSERT INTO latency SELECT destination_id, minute, '', bucket, count FROM latency_before")
    db.execute("DROP TABLE latency_before")
