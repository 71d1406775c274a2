-- Messages that were deleted, each with all that was below it: out of sight, unchanged, until they are purged.

CREATE TABLE deleted_messages (
    message_id TEXT PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    deletion TEXT NOT NULL,         -- the message that somebody deleted
    was_head INTEGER NOT NULL,      -- the end of the branch that was shown
    deleted_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX deleted_messages_by_deletion ON deleted_messages (deletion);
CREATE INDEX deleted_messages_by_time ON deleted_messages (deleted_at);
