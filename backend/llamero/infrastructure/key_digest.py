"""The one way in which keys and tokens are hashed, so that what is compared has one length and no telling content."""

from __future__ import annotations

import hashlib


def digest(key: str) -> bytes:
    """Hash a key as it came in a header, undecodable bytes included."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
