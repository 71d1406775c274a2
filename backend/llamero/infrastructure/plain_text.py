"""Text of unknown origin made safe for one line of a terminal, a log or a message.

File names, process names and engine output reach people through sentences. What would end the line, move the cursor
or turn the reading direction is shown as an escape instead, so that no content can pass for a line of ours.
"""

from __future__ import annotations

import re

# C0 and C1 controls, the Unicode line and paragraph separators, the bidirectional controls, and lone surrogates
# (undecodable bytes of a file name), which no encoder would take.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def one_line(text: str, limit: int | None = None) -> str:
    """Escape whatever is not printable in `text`; beyond `limit` characters the rest becomes `…`."""
    if limit is not None and len(text) > limit:
        text = text[:limit] + "…"
    return _UNPRINTABLE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
