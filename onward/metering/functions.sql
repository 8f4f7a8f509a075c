-- What functions have used, by month: the day that it begins with, in days since the epoch, UTC.
CREATE TABLE IF NOT EXISTS spent (
    workspace_id TEXT NOT NULL,
    function_id  TEXT NOT NULL,
    month        INTEGER NOT NULL,
    invocations  INTEGER NOT NULL,
    wall_ms      REAL NOT NULL,
    cpu_ms       REAL NOT NULL,
    PRIMARY KEY (workspace_id, month, function_id)
) STRICT, WITHOUT ROWID;

-- That so much of a limit was used for the first time; function_id '' for the workspace's. Another limit is
-- another matter. told: whether the audit trail has it.
CREATE TABLE IF NOT EXISTS crossing (
    id           INTEGER PRIMARY KEY,
    workspace_id TEXT NOT NULL,
    function_id  TEXT NOT NULL,
    month        INTEGER NOT NULL,
    percent      INTEGER NOT NULL,
    limit_ms     REAL NOT NULL,
    used_ms      REAL NOT NULL,
    at           INTEGER NOT NULL,
    told         INTEGER NOT NULL DEFAULT 0,
    UNIQUE (workspace_id, function_id, month, percent, limit_ms)
) STRICT;
