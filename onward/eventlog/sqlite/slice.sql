-- One time slice of the log. Records are written once and never changed.

CREATE TABLE slice (
    format       INTEGER NOT NULL,
    first_offset INTEGER NOT NULL,  -- no record here has a smaller offset
    started_at   INTEGER NOT NULL,  -- ms; no record here was received earlier
    sealed       INTEGER NOT NULL   -- 1: a newer slice exists, readers look for it
);

-- Every source the log has ever seen, with its end as it was when the slice began: its end now is that
-- of its last record here, or this if it has none. So the ends outlive the records.
CREATE TABLE source (
    id        INTEGER PRIMARY KEY,  -- the same in all slices
    source_id TEXT NOT NULL UNIQUE,
    "offset"  INTEGER NOT NULL,
    seq       INTEGER NOT NULL
);

CREATE TABLE record (
    "offset"    INTEGER PRIMARY KEY,
    source      INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    first_seq   INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    body        BLOB NOT NULL
);

-- An index entry ends with the primary key, so this is (source, offset).
CREATE INDEX record_by_source ON record (source);
