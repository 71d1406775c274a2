-- What programs asked by the Responses API and what they were answered, so that the next turn can build on it.

CREATE TABLE responses (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    previous_id TEXT,               -- may be gone
    created_at REAL NOT NULL,
    status TEXT NOT NULL,
    size INTEGER NOT NULL,          -- bytes of everything that is kept of it
    response BLOB NOT NULL,         -- JSON of Response, without its output
    events BLOB                     -- what a stream in the background told, to be told again
);
CREATE INDEX responses_by_previous ON responses (previous_id);
CREATE INDEX responses_unfinished ON responses (id) WHERE status IN ('queued', 'in_progress');

-- `seq` is the order of a conversation: first what was put in, then what came out.
CREATE TABLE response_items (
    seq INTEGER PRIMARY KEY,
    response_id TEXT NOT NULL REFERENCES responses (id) ON DELETE CASCADE,
    is_output INTEGER NOT NULL,
    item_id TEXT NOT NULL,          -- empty for a reference to another item
    item BLOB NOT NULL              -- JSON
);
CREATE INDEX response_items_by_response ON response_items (response_id);
CREATE INDEX response_items_by_item ON response_items (item_id);
