"""Which dialect a route belongs to: its path tells."""

from __future__ import annotations

from enum import StrEnum


class Dialect(StrEnum):
    """The languages that clients speak, and our own."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    OLLAMA = "ollama"
    LLAMA_CPP = "llama.cpp"
    OWN = "llamero"


_OWN = frozenset({"/health", "/metrics", "/openapi.json", "/docs", "/docs/style.css", "unknown"})
_LLAMA_CPP = frozenset({"/v1/tokenize", "/v1/detokenize"})


def dialect_of(route: str) -> Dialect:
    """Return the dialect of a route, named by its template."""
    if route in _OWN:
        return Dialect.OWN
    if route == "/" or route.startswith("/api/"):
        return Dialect.OLLAMA
    if route.startswith("/v1/messages"):
        return Dialect.ANTHROPIC
    if route.startswith("/v1/") and route not in _LLAMA_CPP:
        return Dialect.OPENAI
    return Dialect.LLAMA_CPP
