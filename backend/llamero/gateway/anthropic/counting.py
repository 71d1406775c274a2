"""How many tokens a message would take, counted by the engine of its model: its template, then its tokenizer.

Exact for text and tools on this machine; images count as nothing. A remote server has neither route, so for its models
the count is refused rather than guessed.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from llamero.gateway.chat_stream import refused
from llamero.gateway.protocols import Inference
from llamero.models.errors import InvalidRequest, UpstreamFailed
from llamero.models.inference import InferenceRequest

T = TypeVar("T")

_NO_SUCH_ROUTE = (404, 405, 501)


class _Prompt(msgspec.Struct):
    prompt: str


class _Tokens(msgspec.Struct):
    tokens: tuple[int, ...]


async def count_tokens(inference: Inference, model: str, chat: dict[str, object]) -> int:
    """Return the tokens of the prompt of a chat request.

    Raises InvalidRequest where the model's server cannot count, and what the engine refuses with.
    """
    templated = await _ask(inference, model, "/apply-template", {"model": model, **chat}, _Prompt)
    asked = {"model": model, "content": templated.prompt, "add_special": True, "parse_special": True}
    return len((await _ask(inference, model, "/tokenize", asked, _Tokens)).tokens)


async def _ask(inference: Inference, model: str, endpoint: str, body: dict[str, object], wanted: type[T]) -> T:
    request = InferenceRequest(model=model, body=body, endpoint=endpoint)
    async with inference.stream(request) as reply:
        if reply.status in _NO_SUCH_ROUTE:
            raise InvalidRequest("request_error-cannot_count_tokens", param="model", model=model)
        if reply.status != 200:
            raise await refused(reply)
        document = b"".join([piece async for piece in reply])
    try:
        return msgspec.json.decode(document, type=wanted)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UpstreamFailed(reason=f"{endpoint} answered something else: {error}") from error
