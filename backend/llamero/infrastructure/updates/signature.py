"""Verifies a signature of minisign: Ed25519 over a BLAKE2b digest of the file, and over the signature's own comment.

Format: https://jedisct1.github.io/minisign/#signature-format. Only the prehashed kind (`ED`) is taken, which is what
minisign has made by default since 0.10.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

KEY_BYTES, SIGNATURE_BYTES = 42, 74
_TRUSTED = "trusted comment: "


class NotSigned(Exception):
    """The content is not what the holder of the key has signed; the text says why, for the log."""


def verify(content: bytes, signature: str, key: str) -> None:
    """Return when `content` is signed by `key` (the second line of minisign's `.pub` file). Raises `NotSigned`."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    lines = signature.split("\n")
    if len(lines) < 4 or not lines[2].startswith(_TRUSTED):
        raise NotSigned("not a signature of minisign")
    public, signed, comment = _decoded(key, KEY_BYTES), _decoded(lines[1], SIGNATURE_BYTES), _decoded(lines[3], 64)
    if public[:2] != b"Ed" or signed[:2] != b"ED":
        raise NotSigned("another algorithm")
    if public[2:10] != signed[2:10]:
        raise NotSigned("another key")
    trusted = lines[2].removeprefix(_TRUSTED).rstrip("\r").encode()
    try:
        signer = Ed25519PublicKey.from_public_bytes(public[10:])
        signer.verify(signed[10:], hashlib.blake2b(content).digest())
        signer.verify(comment, signed[10:] + trusted)
    except (InvalidSignature, ValueError):
        raise NotSigned("the signature does not fit") from None


def _decoded(text: str, length: int) -> bytes:
    try:
        content = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise NotSigned("not base64") from None
    if len(content) != length:
        raise NotSigned("a part of another length")
    return content
