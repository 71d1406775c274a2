"""Ollama's `options` as an engine's parameters.

What decides how a model is *loaded* (`num_ctx`, `num_gpu`, …) is not a request's to say here: it belongs to the alias,
because a model with other load options would be another server. Options that are not Ollama's pass untouched.
"""

from __future__ import annotations

from collections.abc import Mapping

from llamero.gateway.fields import RANGES, check_number, check_stop

_RENAMED = {"num_predict": "max_tokens", "num_keep": "n_keep"}
_LOADING = frozenset(
    {"embedding_only", "f16_kv", "logits_all", "low_vram", "main_gpu", "num_batch", "num_ctx", "num_gpu", "num_gqa"}
    | {"num_thread", "numa", "rope_frequency_base", "rope_frequency_scale", "use_mlock", "use_mmap", "vocab_only"}
)
_GONE = frozenset({"penalize_newline", "tfs_z"})  # llama.cpp has given them up
_WOULD_CHANGE_THE_FORM = frozenset(
    {"logprobs", "messages", "model", "n", "prompt", "stream", "stream_options", "tools"}
)
_LEFT_OUT = _LOADING | _GONE | _WOULD_CHANGE_THE_FORM


def engine_parameters(options: Mapping[str, object] | None) -> dict[str, object]:
    """Return the parameters of a request. Raises InvalidRequest, naming the option, for a wrong type or range."""
    parameters: dict[str, object] = {}
    for name, value in (options or {}).items():
        if name in _LEFT_OUT or value is None or _is_endless(name, value):
            continue
        parameter = _RENAMED.get(name, name)
        if parameter in RANGES:
            check_number(f"options.{name}", value, *RANGES[parameter])
        if name == "stop":
            check_stop(value, "options.stop")
        parameters[parameter] = value
    return parameters


def _is_endless(name: str, value: object) -> bool:
    """Is this a wish for an answer without end, or for one that fills the context? An engine gives that unasked."""
    return name == "num_predict" and isinstance(value, int) and value < 0
