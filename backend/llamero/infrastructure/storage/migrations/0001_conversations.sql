-- Conversations as trees of messages, what the page remembers, and the models that were opened.

CREATE TABLE conversations (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    title_is_automatic INTEGER NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    head TEXT,
    model TEXT,
    system_prompt TEXT NOT NULL,
    sampling TEXT NOT NULL,         -- JSON of Sampling
    deleted_at REAL
);

-- `seq` is the order in which messages were saved: parents before children, whatever the clock does.
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    parent_id TEXT,
    role TEXT NOT NULL,
    content TEXT NOT NULL,
    reasoning TEXT NOT NULL,
    status TEXT NOT NULL,
    model TEXT,
    created_at REAL NOT NULL,
    error TEXT,                     -- JSON of MessageError
    stats TEXT                      -- JSON of AnswerStats
);
CREATE INDEX messages_by_conversation ON messages (conversation_id);
CREATE INDEX messages_by_parent ON messages (parent_id);
CREATE INDEX messages_streaming ON messages (id) WHERE status = 'streaming';

-- What has come of an answer so far, piece by piece, so that saving more of a long answer does not write all of it.
CREATE TABLE answer_parts (
    seq INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    content TEXT NOT NULL,
    reasoning TEXT NOT NULL
);
CREATE INDEX answer_parts_by_message ON answer_parts (message_id);

-- Nothing is overwritten: a message that is complete stays as it is.
CREATE TRIGGER messages_are_kept BEFORE UPDATE ON messages WHEN old.status <> 'streaming'
BEGIN
    SELECT RAISE (ABORT, 'a message that is complete cannot be changed');
END;

-- Search. An answer is found once it has ended.
CREATE VIRTUAL TABLE message_search USING fts5 (
    content, content = 'messages', content_rowid = 'seq', tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
CREATE TRIGGER messages_found_when_added AFTER INSERT ON messages WHEN new.status <> 'streaming'
BEGIN
    INSERT INTO message_search (rowid, content) VALUES (new.seq, new.content);
END;
CREATE TRIGGER messages_found_when_ended AFTER UPDATE ON messages WHEN new.status <> 'streaming'
BEGIN
    INSERT INTO message_search (rowid, content) VALUES (new.seq, new.content);
END;
CREATE TRIGGER messages_not_found_when_gone AFTER DELETE ON messages WHEN old.status <> 'streaming'
BEGIN
    INSERT INTO message_search (message_search, rowid, content) VALUES ('delete', old.seq, old.content);
END;

CREATE VIRTUAL TABLE conversation_search USING fts5 (
    title, content = 'conversations', content_rowid = 'seq', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER conversations_found_when_added AFTER INSERT ON conversations
BEGIN
    INSERT INTO conversation_search (rowid, title) VALUES (new.seq, new.title);
END;
CREATE TRIGGER conversations_found_by_new_title AFTER UPDATE OF title ON conversations WHEN new.title <> old.title
BEGIN
    INSERT INTO conversation_search (conversation_search, rowid, title) VALUES ('delete', old.seq, old.title);
    INSERT INTO conversation_search (rowid, title) VALUES (new.seq, new.title);
END;
CREATE TRIGGER conversations_not_found_when_gone AFTER DELETE ON conversations
BEGIN
    INSERT INTO conversation_search (conversation_search, rowid, title) VALUES ('delete', old.seq, old.title);
END;

CREATE TABLE ui_state (
    key TEXT PRIMARY KEY,
    value BLOB NOT NULL             -- JSON
) WITHOUT ROWID;

CREATE TABLE models (
    seq INTEGER PRIMARY KEY,
    alias TEXT NOT NULL UNIQUE,
    config BLOB NOT NULL            -- JSON of LlamaCppConfig
);
