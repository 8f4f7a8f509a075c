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

-- Deliveries by how long they took, from receipt on; `bucket` is an index into LATENCY_BOUNDS.
CREATE TABLE IF NOT EXISTS latency (
    destination_id TEXT NOT NULL,
    minute INTEGER NOT NULL,
    subscription_id TEXT NOT NULL,
    bucket INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (destination_id, minute, subscription_id, bucket)
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
CREATE INDEX IF NOT EXISTS parked_by_bulk ON parked (bulk_id) WHERE bulk_id <> 0;
-- Of bulk batches that fill, or are about to be sent for the first time.
CREATE INDEX IF NOT EXISTS parked_untried ON parked (destination_id) WHERE attempt = 0;

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

-- Attempts of payloads that did not arrive at the first one: those that failed and will be repeated, and
-- the one that succeeded in the end. What arrives at once is only counted. `at` is ms since the epoch.
CREATE TABLE IF NOT EXISTS attempt (
    id INTEGER PRIMARY KEY,
    destination_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    subscription_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    outcome TEXT NOT NULL,       -- retry | delivered | filtered (by a function)
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    due_at REAL NOT NULL         -- of a retry: when the next attempt is due (s since the epoch)
) STRICT;
CREATE INDEX IF NOT EXISTS attempt_by_message ON attempt (message_id);
CREATE INDEX IF NOT EXISTS attempt_by_time ON attempt (at);

-- The last few failures of each kind, with what was sent and answered. `body` is zstd over a `Sample`'s rest.
CREATE TABLE IF NOT EXISTS sample (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    destination_id TEXT NOT NULL,
    subscription_id TEXT NOT NULL,
    outcome TEXT NOT NULL,       -- retry | discarded | filtered
    code TEXT NOT NULL,
    at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    message TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS sample_by_kind ON sample (destination_id, subscription_id, outcome, code, id);
CREATE INDEX IF NOT EXISTS sample_by_time ON sample (at);

-- Discards that people want to have sent again. Whoever is asked writes the row, the destination's process
-- the last three columns.
CREATE TABLE IF NOT EXISTS redrive (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    destination_id TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    code TEXT,
    subscription_id TEXT,
    message_id TEXT,
    discard_id INTEGER,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    as_it_was INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    reached INTEGER NOT NULL,
    done INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS redrive_by_destination ON redrive (destination_id, id);

-- By which version of the configuration records were routed: from `first_offset` up to the next row's.
CREATE TABLE IF NOT EXISTS passage (
    destination_id TEXT NOT NULL,
    first_offset INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (destination_id, first_offset)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS heartbeat (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    at REAL NOT NULL
) STRICT;
