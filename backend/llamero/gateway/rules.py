"""Which key may use which route: the one table.

Whatever only tells what this program is needs no key. Asking models takes the scope `inference`, also where the engine
is loaded by it. What changes the machine for everybody, and what tells how it is used, takes `management`. A route that
is missing here takes `management`, too; a test finds it.

`answers`: the request occupies an engine, so it counts as one of the answers that a key may have at once.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from llamero.models.access import Scope


class Rule(msgspec.Struct, frozen=True):
    """What a route takes. `scope` None: no key."""

    scope: Scope | None
    answers: bool = False


OPEN = Rule(None)
READ = Rule(Scope.INFERENCE)
ASK = Rule(Scope.INFERENCE, answers=True)
MANAGE = Rule(Scope.MANAGEMENT)

RULES: Mapping[str, Rule] = {
    "GET /health": OPEN,
    "GET /": OPEN,
    "GET /docs": OPEN,
    "GET /docs/style.css": OPEN,
    "GET /openapi.json": OPEN,
    "GET /metrics": MANAGE,
    # OpenAI
    "GET /v1/models": READ,
    "GET /v1/models/{id}": READ,
    "POST /v1/chat/completions": ASK,
    "POST /v1/completions": ASK,
    "POST /v1/embeddings": ASK,
    "POST /v1/rerank": ASK,
    "POST /v1/audio/transcriptions": ASK,
    "POST /v1/responses": ASK,
    "GET /v1/responses/{id}": READ,
    "DELETE /v1/responses/{id}": READ,  # an answer of the client's own, whose random id is known to it alone
    "POST /v1/responses/{id}/cancel": READ,
    "GET /v1/responses/{id}/input_items": READ,
    # Anthropic
    "POST /v1/messages": ASK,
    "POST /v1/messages/count_tokens": ASK,
    # Ollama; unloading by `keep_alive` asks for more, see `demand`
    "GET /api/version": READ,
    "GET /api/tags": READ,
    "GET /api/ps": READ,
    "POST /api/show": READ,
    "POST /api/chat": ASK,
    "POST /api/generate": ASK,
    "POST /api/embed": ASK,
    "POST /api/embeddings": ASK,
    # llama.cpp
    "POST /tokenize": ASK,
    "POST /detokenize": ASK,
    "POST /v1/tokenize": ASK,
    "POST /v1/detokenize": ASK,
    "POST /apply-template": ASK,
    "POST /rerank": ASK,
    "POST /infill": ASK,
    "POST /completion": ASK,
    "POST /completions": ASK,
    "GET /props": READ,
    "POST /props": MANAGE,
    "GET /slots": MANAGE,  # what others ask now
    "POST /slots/{id}": MANAGE,
    "GET /lora-adapters": READ,
    "POST /lora-adapters": MANAGE,
}


def rule_of(method: str, route: str | None) -> Rule:
    """Return what a route takes, named by its template; None stands for a route that does not exist.

    Who has no key does not learn which routes there are.
    """
    if route is None:
        return READ
    return RULES.get(f"{'GET' if method == 'HEAD' else method} {route}", MANAGE)
