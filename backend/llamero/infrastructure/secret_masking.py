"""Secrets taken out of text before it is logged.

Two ways, since neither is enough: values that the program knows (`register_secret`) wherever they stand, and shapes
that secrets of others take (Authorization headers, `api_key=…`, `sk-…`). Masking too much costs a word of a log;
masking too little costs a key. Every pattern is linear in the length of the line.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from urllib.parse import quote

MASK = "***"

# Shorter ones would black out half of every line; they are masked as whole words only.
_SHORT = 8

# A value in quotes, or a bare one, which may stand in the escaped quotes of JSON inside a string.
_VALUE = r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[\\"']{0,4}[^\s"'\\,;&)}\]]+)"""
_IS = r"""[\\"']{0,4}\s*[:=]\s*"""
_TOKEN_KINDS = ("access", "auth", "bearer", "refresh", "session", "hf", "github")
_NAMES = rf"(?:api[-_]?key|(?:{'|'.join(_TOKEN_KINDS)})[-_]?token|secret|password|passwd)"
_NAME_WORDS = (
    *("apikey", "api_key", "api-key", "secret", "passw"),
    *(f"{kind}{joint}token" for kind in _TOKEN_KINDS for joint in ("", "-", "_")),
)
# Each with words of which one must be in the line, in lower case, for it to match: most lines have none, and looking
# for words is several times as fast as trying the patterns.
_PATTERNS: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = tuple(
    (words, re.compile(pattern, re.IGNORECASE), replacement)
    for words, pattern, replacement in (
        # Authorization: Bearer X, "authorization": "Basic X"
        (("authorization",), rf"""(authorization{_IS}[\\"']{{0,4}}(?:[a-z]+\s+)?)[^\s"'\\,]+""", rf"\1{MASK}"),
        (("bearer",), r"\b(bearer)\s+[\w.~+/=-]{4,}", rf"\1 {MASK}"),
        # --api-key X, --api-key=X, ['--api-key', 'X']
        (("--api-key",), rf"(--api-key\b(?!-)[\"']?\s*[,=]?\s*){_VALUE}", rf"\1{MASK}"),
        # LLAMA_API_KEY=X, "api_key": "X", x-api-key: X, password = X
        (_NAME_WORDS, rf"({_NAMES}{_IS}){_VALUE}", rf"\1{MASK}"),
        # ?token=X, &key=X, #token=X
        (("key=", "token=", "sig=", "signature="), r"([?&#](?:key|token|sig|signature)=)[^&\s\"']+", rf"\1{MASK}"),
        # https://user:X@host
        (("://",), r"(://[^\s/:@]{1,100}:)[^\s/@]{1,200}(?=@)", rf"\1{MASK}"),
        # keys known by how they begin: our own, OpenAI and its kin, Hugging Face, GitHub
        (("llk_", "sk-", "hf_", "gh"), r"(?<![a-z0-9])(llk_|sk-|hf_|gh[pousr]_|github_pat_)[\w-]{8,}", rf"\1{MASK}"),
    )
)

# What the name of a header has in it that holds a secret.
_SECRET_NAMES = ("authorization", "cookie", "credential", "key", "passw", "secret", "signature", "token")


def holds_secret(name: str) -> bool:
    """Is a header of this name likely to hold a secret?"""
    lowered = name.lower()
    return any(word in lowered for word in _SECRET_NAMES)


class SecretMask:
    """The secrets of one process. Registering is safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: tuple[Callable[[str], str], ...] = ()
        self._values: tuple[str, ...] = ()

    def register(self, value: str) -> None:
        """Mask this value from now on, as it is and as it looks inside a URL."""
        value = value.strip()
        if not value:
            return
        in_url = quote(value, safe="", errors="surrogateescape")
        with self._lock:
            fresh = {value, in_url}.difference(self._values)
            # Longest first, so that a secret which contains another is not left in pieces.
            self._values = tuple(sorted([*self._values, *fresh], key=len, reverse=True))
            self._known = tuple(_eraser(form) for form in self._values)

    def apply(self, text: str, limit: int) -> str:
        """Return the text without secrets, cut to `limit` characters.

        It is cut after masking, so that no secret is left with its end cut off and so not recognised; the patterns see
        twice the limit, since they are slower than the known values.
        """
        for erase in self._known:
            text = erase(text)
        text = text[: 2 * limit]
        lowered = text.lower()
        for words, pattern, replacement in _PATTERNS:
            if any(word in lowered for word in words):
                text = pattern.sub(replacement, text)
        return text if len(text) <= limit else text[:limit] + "…"


def _eraser(value: str) -> Callable[[str], str]:
    if len(value) >= _SHORT:
        return lambda text: text.replace(value, MASK)
    word = re.compile(rf"(?<!\w){re.escape(value)}(?!\w)")
    return lambda text: word.sub(MASK, text)


process_secrets = SecretMask()


def register_secret(value: str) -> None:
    """Keep this value out of every log of the process. Empty values are ignored."""
    process_secrets.register(value)


def masked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers as they may be shown: masked whole by their names, in parts by what their values look like."""
    return {name: MASK if holds_secret(name) else _masked_value(name, value) for name, value in headers.items()}


def _masked_value(name: str, value: str) -> str:
    head = f"{name}: "
    return process_secrets.apply(f"{head}{value}", len(head) + len(value)).removeprefix(head)
