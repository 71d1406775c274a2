-- Keys of the gateway. A key that is revoked stays, so that whoever still sends it is told so; its name is free again.

CREATE TABLE api_keys (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    start TEXT NOT NULL,            -- how the key begins
    digest BLOB NOT NULL UNIQUE,    -- SHA-256 of the whole key
    scopes TEXT NOT NULL,           -- names of Scope with a space between them
    created_at REAL NOT NULL,
    expires_at REAL,
    last_used_at REAL,
    revoked_at REAL,
    requests_per_minute INTEGER,
    streams INTEGER
);
CREATE UNIQUE INDEX api_keys_by_name ON api_keys (name) WHERE revoked_at IS NULL;
