-- The hardware's past. A batch holds the rows of some minutes in columns; `seq` is the order in which they were lived,
-- which the times are not where the clock was set back.
CREATE TABLE metrics_history (
    seq INTEGER PRIMARY KEY,
    resolution_s INTEGER NOT NULL,
    points INTEGER NOT NULL,        -- rows in it
    first_at REAL NOT NULL,         -- seconds since the epoch
    last_at REAL NOT NULL,
    batch BLOB NOT NULL             -- as infrastructure/storage/metrics_history.py has it
);
CREATE INDEX metrics_history_by_resolution ON metrics_history (resolution_s, seq, points, first_at, last_at);
