-- The names that users gave: models with parameters of their own, remote servers, lists of names to be tried in order.

CREATE TABLE aliases (
    seq INTEGER PRIMARY KEY,        -- the order in which they became known
    name TEXT NOT NULL UNIQUE,
    alias BLOB NOT NULL             -- JSON of UserAlias, ApiModel or FallbackAlias
);

-- Grows with every change, whoever makes it, so that another process notices.
CREATE TABLE alias_version (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    version INTEGER NOT NULL
);
INSERT INTO alias_version (only, version) VALUES (1, 0);

CREATE TRIGGER aliases_counted_when_added AFTER INSERT ON aliases
BEGIN
    UPDATE alias_version SET version = version + 1;
END;
CREATE TRIGGER aliases_counted_when_changed AFTER UPDATE ON aliases
BEGIN
    UPDATE alias_version SET version = version + 1;
END;
CREATE TRIGGER aliases_counted_when_removed AFTER DELETE ON aliases
BEGIN
    UPDATE alias_version SET version = version + 1;
END;
