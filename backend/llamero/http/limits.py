"""How much one client may ask for, and how long it may take to ask."""

from __future__ import annotations

import msgspec

MEBIBYTE = 1024 * 1024


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in bytes, times in seconds. Each limit answers with a typed error of its own.

    `head_timeout_s` runs from the first byte of a request to the end of its headers, `body_timeout_s` over the whole
    body, `idle_timeout_s` between two requests of one connection.
    """

    max_body_bytes: int = 64 * MEBIBYTE
    max_json_depth: int = 64
    max_header_bytes: int = 16 * 1024
    max_headers: int = 100
    head_timeout_s: float = 15.0
    body_timeout_s: float = 60.0
    idle_timeout_s: float = 75.0
