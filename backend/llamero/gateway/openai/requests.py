"""Checks the requests of the OpenAI dialect, endpoint by endpoint. Each check returns the model's name.

Each raises `InvalidRequest` naming the first field at fault. What is not checked passes untouched.
"""

from __future__ import annotations

from collections.abc import Mapping

from llamero.gateway.fields import (
    LARGEST_C_INT,
    check_model,
    check_number,
    check_numbers,
    check_stop,
    check_stream,
    check_stream_options,
    check_text_or_tokens,
    required,
    wrong_type,
)
from llamero.models.errors import InvalidRequest
from llamero.models.inference import Form
from llamero.services.forms import has_field, text_field


def check_completion(body: Mapping[str, object]) -> str:
    """`/v1/completions`: a `prompt` of text, of tokens, or several of either. `logprobs` is a count here."""
    model = check_model(body)
    check_text_or_tokens("prompt", required(body, "prompt"))
    check_stream(body)
    check_stream_options(body)
    check_stop(body.get("stop"))
    check_numbers(body)
    if not isinstance(body.get("logprobs"), bool):
        check_number("logprobs", body.get("logprobs"), 0, LARGEST_C_INT)
    return model


def check_embedding(body: Mapping[str, object]) -> str:
    """`/v1/embeddings`: an `input` of text, of tokens, or several of either."""
    model = check_model(body)
    check_text_or_tokens("input", required(body, "input"))
    if body.get("encoding_format") not in (None, "float", "base64"):
        raise wrong_type("encoding_format", '"float" or "base64"')
    check_numbers(body)
    return model


def check_rerank(body: Mapping[str, object]) -> str:
    """`/v1/rerank`: a `query` and `documents`, which some clients call `texts`."""
    model = check_model(body)
    if not isinstance(required(body, "query"), str):
        raise wrong_type("query", "string")
    name = "texts" if body.get("documents") is None and body.get("texts") is not None else "documents"
    if not isinstance(required(body, name), list):
        raise wrong_type(name, "list")
    check_numbers(body)
    return model


def check_transcription(form: Form) -> str:
    """`/v1/audio/transcriptions`: a form with a `file`, which is left alone, and the fields beside it."""
    model = text_field(form, "model")
    if not model:
        raise InvalidRequest("request_error-missing_param", param="model")
    if not has_field(form, "file"):
        raise InvalidRequest("request_error-missing_param", param="file")
    return model
