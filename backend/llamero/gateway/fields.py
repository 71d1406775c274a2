"""Checks the fields of requests before an engine sees them.

Checked are the fields that decide what happens here, and numbers. Everything else passes untouched, also what this
version has never heard of: the engine knows its own fields best. Numbers are checked because an engine converts them
to C integers without asking: a negative `n_discard` has been an out-of-bounds write (CVE-2026-21869), and a token
beyond 32 bits would be another one. A fraction beyond a C float becomes infinite there or the largest one, and a seed
beyond 64 bits becomes 0, whichever it was. How far an engine looks back is memory that it takes at once, whatever the
context, so that is bounded by what a context can be. `null` means "not given", as everywhere in this API.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from llamero.models.errors import InvalidRequest

LARGEST_C_INT = 2**31 - 1
LONGEST_LOOK_BACK = 2**20  # tokens: 4 MiB each time; at the largest integer it would be 8 GiB
LARGEST_C_FLOAT = 3.4028234663852886e38
LARGEST_FACTOR = 1_000_000  # of a sampler: far beyond where a larger one changes anything
SMALLEST_SEED, LARGEST_SEED = -(2**63), 2**63 - 1  # as in the OpenAI API; an engine takes the lower 32 bits

RANGES: Mapping[str, tuple[float, float]] = {
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
    "temperature": (0, 2),
    "top_p": (0, 1),
    "seed": (SMALLEST_SEED, LARGEST_SEED),
    # The samplers of llama-server; a negative target or sigma turns that sampler off.
    "adaptive_decay": (0, 0.99),
    "adaptive_target": (-1, 1),
    "dry_base": (0, LARGEST_FACTOR),
    "dry_multiplier": (0, LARGEST_FACTOR),
    "dynatemp_exponent": (0, LARGEST_FACTOR),
    "dynatemp_range": (0, LARGEST_FACTOR),
    "min_p": (0, 1),
    "mirostat_eta": (0, LARGEST_FACTOR),
    "mirostat_tau": (0, LARGEST_FACTOR),
    "repeat_penalty": (0.001, LARGEST_FACTOR),
    "top_n_sigma": (-1, LARGEST_FACTOR),
    "typical_p": (0, 1),
    "xtc_probability": (0, 1),
    "xtc_threshold": (0, 1),
    # llama-server's own, and the counts of the OpenAI API; -1 stands for "no limit" or "choose".
    "best_of": (0, LARGEST_C_INT),
    "dimensions": (1, LARGEST_C_INT),
    "dry_allowed_length": (0, LARGEST_C_INT),
    "dry_penalty_last_n": (-1, LONGEST_LOOK_BACK),
    "embd_normalize": (-1, LARGEST_C_INT),
    "id_slot": (-1, LARGEST_C_INT),
    "max_completion_tokens": (-1, LARGEST_C_INT),
    "max_tokens": (-1, LARGEST_C_INT),
    "min_keep": (0, LARGEST_C_INT),
    "mirostat": (0, 2),
    "n": (1, LARGEST_C_INT),
    "n_cache_reuse": (0, LARGEST_C_INT),
    "n_cmpl": (1, LARGEST_C_INT),
    "n_discard": (0, LARGEST_C_INT),
    "n_indent": (0, LARGEST_C_INT),
    "n_keep": (-1, LARGEST_C_INT),
    "n_predict": (-1, LARGEST_C_INT),
    "n_probs": (0, LARGEST_C_INT),
    "reasoning_budget_tokens": (-1, LARGEST_C_INT),
    "repeat_last_n": (-1, LONGEST_LOOK_BACK),
    "speculative.n_max": (0, LARGEST_C_INT),
    "speculative.n_min": (0, LARGEST_C_INT),
    "t_max_predict_ms": (-1, LARGEST_C_INT),
    "t_max_prompt_ms": (-1, LARGEST_C_INT),
    "thinking_budget_tokens": (-1, LARGEST_C_INT),
    "top_k": (-1, LARGEST_C_INT),
    "top_logprobs": (0, LARGEST_C_INT),
    "top_n": (0, LARGEST_C_INT),
}
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+", re.ASCII)


def check_model(body: Mapping[str, object]) -> str:
    """Return the model's name. Raises `InvalidRequest`, as all of these do, naming the field at fault."""
    model = required(body, "model")
    if not isinstance(model, str):
        raise wrong_type("model", "string")
    if not model:
        raise InvalidRequest("request_error-missing_param", param="model")
    return model


def check_stream(body: Mapping[str, object]) -> bool:
    """Does the client want events?"""
    stream = body.get("stream")
    if not isinstance(stream, bool | None):
        raise wrong_type("stream", "boolean")
    return bool(stream)


def check_stream_options(body: Mapping[str, object]) -> None:
    """See that what is asked of a stream is an object."""
    if not isinstance(body.get("stream_options"), dict | None):
        raise wrong_type("stream_options", "object")


def check_stop(stop: object, name: str = "stop") -> None:
    """See that stop sequences are a text or several. An engine passes over those of another type."""
    texts = stop if isinstance(stop, list) else [stop]
    if stop is not None and not all(isinstance(text, str) for text in texts):
        raise wrong_type(name, "string or list of strings")


def check_numbers(body: Mapping[str, object]) -> None:
    """See that every number that an engine would convert is within its range."""
    for name, value in body.items():
        if name in RANGES:
            check_number(name, value, *RANGES[name])
    _check_biases(body.get("logit_bias"))
    _check_adapters(body.get("lora"))


def check_number(name: str, value: object, lowest: float, highest: float) -> None:
    """See that a number is one, and within its range."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type(name, "number")
    if not lowest <= value <= highest:
        raise InvalidRequest("request_error-out_of_range", param=name, minimum=lowest, maximum=highest)


def check_text_or_tokens(name: str, value: object) -> None:
    """See that this can be read as text: a string, tokens, an object that holds a text, or a list of any of these."""
    if isinstance(value, str | dict):
        return
    if not isinstance(value, list):
        raise wrong_type(name, "string or list")
    for item in value:
        if isinstance(item, list):
            for inner in item:
                _check_piece(name, inner)
        else:
            _check_piece(name, item)


def check_tokens(name: str, value: object) -> None:
    """See that this is a list of tokens."""
    if not isinstance(value, list):
        raise wrong_type(name, "list")
    for token in value:
        _check_token(name, token)


def required(body: Mapping[str, object], name: str) -> object:
    """Return a field that must be there."""
    value = body.get(name)
    if value is None:
        raise InvalidRequest("request_error-missing_param", param=name)
    return value


def wrong_type(name: str, expected: str) -> InvalidRequest:
    """The error for a field of another type."""
    return InvalidRequest("request_error-wrong_type", param=name, expected=expected)


def _check_piece(name: str, piece: object) -> None:
    if not isinstance(piece, str | dict):
        _check_token(name, piece)


def _check_token(name: str, token: object) -> None:
    if isinstance(token, bool) or not isinstance(token, int):
        raise wrong_type(name, "string or list of tokens")
    if not 0 <= token <= LARGEST_C_INT:
        raise InvalidRequest("request_error-out_of_range", param=name, minimum=0, maximum=LARGEST_C_INT)


def _check_biases(biases: object) -> None:
    """See that the tokens of `logit_bias`, keys as at OpenAI or heads of pairs, and their weights are some.

    Texts are the engine's, and so is a weight that is no number: `false` bans a token.
    """
    if isinstance(biases, dict):
        tokens = [int(key[:20]) for key in biases if _WHOLE_NUMBER.fullmatch(key)]
        weights = list(biases.values())
    elif isinstance(biases, list):
        pairs = [pair for pair in biases if isinstance(pair, list) and pair]
        tokens = [pair[0] for pair in pairs if not isinstance(pair[0], str)]
        weights = [pair[1] for pair in pairs if len(pair) > 1]
    else:
        return
    for token in tokens:
        check_number("logit_bias", token, 0, LARGEST_C_INT)
    for weight in weights:
        if isinstance(weight, int | float) and not isinstance(weight, bool):
            check_number("logit_bias", weight, -LARGEST_C_FLOAT, LARGEST_C_FLOAT)


def _check_adapters(adapters: object) -> None:
    """See that the adapters of `lora` are named by numbers that are some, and scaled by such."""
    for adapter in adapters if isinstance(adapters, list) else ():
        if isinstance(adapter, dict):
            check_number("lora", adapter.get("id"), 0, LARGEST_C_INT)
            check_number("lora", adapter.get("scale"), -LARGEST_FACTOR, LARGEST_FACTOR)
