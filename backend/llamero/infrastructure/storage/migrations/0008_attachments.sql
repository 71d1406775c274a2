-- Files that go with a question. A body is kept once, however many questions name it: an edited question has the same.

CREATE TABLE attachments (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL,          -- bytes of the body
    added_at REAL NOT NULL,
    body BLOB NOT NULL              -- the last column: whoever reads the others does not read it
);

CREATE TABLE message_attachments (
    message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    attachment_id TEXT NOT NULL REFERENCES attachments (id),
    PRIMARY KEY (message_id, position)
) WITHOUT ROWID;
CREATE INDEX message_attachments_by_attachment ON message_attachments (attachment_id);

-- The last message that had a file takes it along.
CREATE TRIGGER attachments_go_with_their_messages AFTER DELETE ON message_attachments
WHEN NOT EXISTS (SELECT 1 FROM message_attachments WHERE attachment_id = old.attachment_id)
BEGIN
    DELETE FROM attachments WHERE id = old.attachment_id;
END;

-- Search by name. What is in a file is not searched.
CREATE VIRTUAL TABLE attachment_search USING fts5 (
    name, content = 'attachments', content_rowid = 'seq', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER attachments_found_when_added AFTER INSERT ON attachments
BEGIN
    INSERT INTO attachment_search (rowid, name) VALUES (new.seq, new.name);
END;
CREATE TRIGGER attachments_not_found_when_gone AFTER DELETE ON attachments
BEGIN
    INSERT INTO attachment_search (attachment_search, rowid, name) VALUES ('delete', old.seq, old.name);
END;
