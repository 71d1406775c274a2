"""Finding words in titles, in messages and in the names of their attachments.

Any text is a valid query: each piece between spaces is looked for as it stands, all of them must be there, and the
last one may be the beginning of a word unless it ends with punctuation. FTS5 splits text at spaces and punctuation,
which scripts written without spaces do not have; queries in those are looked for letter by letter instead (slower:
about 0.1 s for 100,000 messages).
Newest first, so a search ends as soon as it has enough.
"""

from __future__ import annotations

import functools
import re
import sqlite3

from llamero.infrastructure.storage.rows import NOT_DELETED, storable
from llamero.models.conversations import SearchHit

BEGIN, END = "\ue000", "\ue001"
_NAME_HITS = 20
_SNIPPET_TOKENS = 16
_BEFORE, _AROUND = 40, 120  # characters of a snippet before the first find, and in all

_LIKE_WILDCARD = re.compile(r"[%_\\]")

_TITLES = """
SELECT conversations.id, coalesce(conversations.head, ''), conversations.title,
       highlight(conversation_search, 0, ?, ?)
FROM conversation_search JOIN conversations ON conversations.seq = conversation_search.rowid
WHERE conversation_search MATCH ? AND conversations.deleted_at IS NULL
ORDER BY conversation_search.rowid DESC LIMIT ?
"""
_MESSAGES = f"""
SELECT conversations.id, messages.id, conversations.title, snippet(message_search, 0, ?, ?, '…', ?)
FROM message_search JOIN messages ON messages.seq = message_search.rowid
JOIN conversations ON conversations.id = messages.conversation_id
WHERE message_search MATCH ? AND conversations.deleted_at IS NULL AND {NOT_DELETED}
ORDER BY message_search.rowid DESC LIMIT ?
"""  # noqa: S608
_ATTACHED = f"""
SELECT conversations.id, messages.id, conversations.title, highlight(attachment_search, 0, ?, ?)
FROM attachment_search JOIN attachments ON attachments.seq = attachment_search.rowid
JOIN message_attachments ON message_attachments.attachment_id = attachments.id
JOIN messages ON messages.id = message_attachments.message_id
JOIN conversations ON conversations.id = messages.conversation_id
WHERE attachment_search MATCH ? AND conversations.deleted_at IS NULL AND {NOT_DELETED}
ORDER BY messages.seq DESC LIMIT ?
"""  # noqa: S608

_SCANNED = (
    (
        "conversations.title",
        "conversations LEFT JOIN messages ON messages.id = conversations.head WHERE conversations.deleted_at IS NULL",
    ),
    (
        "messages.content",
        "messages JOIN conversations ON conversations.id = messages.conversation_id "
        f"WHERE conversations.deleted_at IS NULL AND messages.status <> 'streaming' AND {NOT_DELETED}",
    ),
    (
        "attachments.name",
        "attachments JOIN message_attachments ON message_attachments.attachment_id = attachments.id "
        "JOIN messages ON messages.id = message_attachments.message_id "
        "JOIN conversations ON conversations.id = messages.conversation_id "
        f"WHERE conversations.deleted_at IS NULL AND {NOT_DELETED}",
    ),
)


def search(connection: sqlite3.Connection, query: str, limit: int) -> tuple[SearchHit, ...]:
    """Conversations whose title matches, with their head as the message; then messages, by attachment and by text."""
    pieces = [piece for piece in storable(query).replace("\0", " ").split() if any(map(str.isalnum, piece))]
    if not pieces or limit < 1:
        return ()
    if any(_without_spaces().search(piece) for piece in pieces):
        return _scan(connection, pieces, limit)
    match = " ".join('"{}"'.format(piece.replace('"', '""')) for piece in pieces)
    if pieces[-1][-1].isalnum():
        match += "*"
    titles, attached = (
        connection.execute(named, (BEGIN, END, match, min(limit, _NAME_HITS))).fetchall()
        for named in (_TITLES, _ATTACHED)
    )
    marks = (BEGIN, END, _SNIPPET_TOKENS)
    messages = connection.execute(_MESSAGES, (*marks, match, limit)).fetchall()
    hits: dict[tuple[str, str], SearchHit] = {}
    for conversation, message, title, snippet in [*titles, *attached, *messages]:
        hit = SearchHit(
            conversation_id=conversation, message_id=message, title=title, snippet=" ".join(snippet.split())
        )
        hits.setdefault((conversation, message), hit)
    return tuple(hits.values())[:limit]


def _scan(connection: sqlite3.Connection, pieces: list[str], limit: int) -> tuple[SearchHit, ...]:
    """Look at every title, message and name for these pieces, whatever they are part of."""
    found: dict[tuple[str, str], SearchHit] = {}
    for column, source in _SCANNED:
        condition = " AND ".join(f"{column} LIKE ? ESCAPE '\\'" for _ in pieces)
        rows = connection.execute(
            f"SELECT conversations.id, coalesce(messages.id, ''), conversations.title, {column} FROM {source} "  # noqa: S608
            f"AND {condition} ORDER BY messages.seq DESC LIMIT ?",
            (*[f"%{_LIKE_WILDCARD.sub(_escaped, piece)}%" for piece in pieces], limit - len(found)),
        )
        for conversation, message, title, text in rows:
            hit = SearchHit(
                conversation_id=conversation, message_id=message, title=title, snippet=_snippet(text, pieces)
            )
            found.setdefault((conversation, message), hit)
    return tuple(found.values())


def _escaped(match: re.Match[str]) -> str:
    return f"\\{match.group()}"


@functools.cache
def _without_spaces() -> re.Pattern[str]:
    """Scripts that put no spaces between words. Made when it is first needed: its large ranges take 5 ms."""
    # Thai to Myanmar, Khmer; kana, bopomofo, CJK ideographs, Hangul; and the supplementary planes of ideographs.
    return re.compile("[\u0e00-\u109f\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff]")


def _snippet(text: str, pieces: list[str]) -> str:
    """The surroundings of the first find, with every find in them marked."""
    pattern = re.compile("|".join(re.escape(piece) for piece in pieces), re.IGNORECASE)
    first = pattern.search(text)
    start = max(0, first.start() - _BEFORE) if first else 0
    part = pattern.sub(lambda match: f"{BEGIN}{match.group()}{END}", text[start : start + _AROUND])
    before, after = "…" if start else "", "…" if start + _AROUND < len(text) else ""
    return f"{before}{' '.join(part.split())}{after}"
