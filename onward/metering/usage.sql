-- How far each source's log has been counted: moved in the same transaction as all below.
CREATE TABLE IF NOT EXISTS meter (
    source_id TEXT PRIMARY KEY,
    "offset"  INTEGER NOT NULL,
    seq       INTEGER NOT NULL
) STRICT;

-- Accepted events, by the minute (since the epoch) in which they were received. Older ones are put together
-- by hours, then by days.
CREATE TABLE IF NOT EXISTS volume (
    source_id   TEXT NOT NULL,
    minute      INTEGER NOT NULL,
    event_type  TEXT NOT NULL,
    event_name  TEXT NOT NULL,
    app_version TEXT NOT NULL,
    count       INTEGER NOT NULL,
    PRIMARY KEY (source_id, minute, event_type, event_name, app_version)
) STRICT, WITHOUT ROWID;

-- By source, and by workspace. A day is days since the epoch, UTC; a month the day that it begins with.
CREATE TABLE IF NOT EXISTS calls (
    scope TEXT NOT NULL,
    day   INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (scope, day)
) STRICT, WITHOUT ROWID;

-- How many different people there were from the month's beginning to the end of the day.
CREATE TABLE IF NOT EXISTS people (
    scope                TEXT NOT NULL,
    day                  INTEGER NOT NULL,
    identified           INTEGER NOT NULL,
    anonymous            INTEGER NOT NULL,
    anonymous_identified INTEGER NOT NULL,
    PRIMARY KEY (scope, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS sketch (
    scope     TEXT NOT NULL,
    month     INTEGER NOT NULL,
    kind      TEXT NOT NULL,       -- identified | anonymous | anonymous_identified
    registers BLOB NOT NULL,       -- zstd
    PRIMARY KEY (scope, month, kind)
) STRICT, WITHOUT ROWID;
