-- The books of each destination: one row, moved in the same transaction as all below.
CREATE TABLE IF NOT EXISTS destination (
    id TEXT PRIMARY KEY,
    start_offset INTEGER NOT NULL,
    start_seq INTEGER NOT NULL,
    cursor_offset INTEGER NOT NULL,
    cursor_seq INTEGER NOT NULL,
    skipped INTEGER NOT NULL DEFAULT 0,
    fanned_out INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0,
    filtered INTEGER NOT NULL DEFAULT 0,
    discarded INTEGER NOT NULL DEFAULT 0,
    breaker_opened_at REAL
) STRICT;

-- Events by minute and what they are counted under. `minute` is minutes since the epoch.
CREATE TABLE IF NOT EXISTS counter (
    destination_id TEXT NOT NULL,
    minute INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    code TEXT NOT NULL,
    subscription_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    event_name TEXT NOT NULL,
    app_version TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (destination_id, minute, outcome, code, subscription_id, event_type, event_name, app_version)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS latency (
    destination_id TEXT NOT NULL,
    minute INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (destination_id, minute, bucket)
) STRICT, WITHOUT ROWID;

-- Payloads that wait for an attempt. `body` is zstd over {"payload": …, "event": …}.
CREATE TABLE IF NOT EXISTS parked (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    destination_id TEXT NOT NULL,
    subscription_id TEXT NOT NULL,
    bulk_id INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    event_name TEXT NOT NULL,
    app_version TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    due_at REAL NOT NULL,
    attempt INTEGER NOT NULL,
    first_attempt_at REAL NOT NULL,
    deadline REAL NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS parked_by_due ON parked (destination_id, due_at);
CREATE INDEX IF NOT EXISTS parked_by_message ON parked (message_id);

CREATE TABLE IF NOT EXISTS discard (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    destination_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    subscription_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    event_name TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS discard_by_destination ON discard (destination_id, id);
CREATE INDEX IF NOT EXISTS discard_by_message ON discard (message_id);
CREATE INDEX IF NOT EXISTS discard_by_time ON discard (at);

CREATE TABLE IF NOT EXISTS heartbeat (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    at REAL NOT NULL
) STRICT;
