-- What programs asked by the Responses API and what they were answered, so that the next turn can build on it.

-- Responses that build on each other are forgotten together. Small rows: they are read to find what is due.
CREATE TABLE response_conversations (
    seq INTEGER PRIMARY KEY,
    last_at REAL NOT NULL,          -- when the newest response of it began
    size INTEGER NOT NULL           -- bytes of everything that is kept of it
);
CREATE INDEX response_conversations_by_age ON response_conversations (last_at, size);

CREATE TABLE responses (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    conversation INTEGER NOT NULL REFERENCES response_conversations (seq) ON DELETE CASCADE,
    previous_id TEXT,               -- may be gone
    status TEXT NOT NULL,
    size INTEGER NOT NULL,          -- bytes of everything that is kept of it
    response BLOB NOT NULL,         -- JSON of Response, without its output
    events BLOB                     -- what a stream in the background told, to be told again
);
CREATE INDEX responses_by_conversation ON responses (conversation);
CREATE INDEX responses_unfinished ON responses (id) WHERE status IN ('queued', 'in_progress');

-- `seq` is the order of a conversation: first what was put in, then what came out.
CREATE TABLE response_items (
    seq INTEGER PRIMARY KEY,
    response_id TEXT NOT NULL REFERENCES responses (id) ON DELETE CASCADE,
    is_output INTEGER NOT NULL,
    item_id TEXT NOT NULL,
    item BLOB NOT NULL              -- JSON
);
CREATE INDEX response_items_by_response ON response_items (response_id);
-- Only what a model wrote can be referred to: the ids of the rest are the clients' own, and may be guessed.
CREATE INDEX response_items_by_item ON response_items (item_id) WHERE is_output;
