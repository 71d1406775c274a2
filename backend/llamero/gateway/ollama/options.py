"""Ollama's `options` as an engine's parameters. Pure.

What decides how a model is *loaded* (`num_ctx`, `num_gpu`, …) is not a request's to say here: it belongs to the alias,
because a model with other load options would be another server. Options that are not Ollama's pass untouched.
"""

from __future__ import annotations

from collections.abc import Mapping

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
    """Return the parameters of a request. An endless answer, or one that fills the context, is what an engine gives."""
    parameters = {
        _RENAMED.get(name, name): value
        for name, value in (options or {}).items()
        if name not in _LEFT_OUT and value is not None
    }
    limit = parameters.get("max_tokens")
    if isinstance(limit, int) and limit < 0:
        del parameters["max_tokens"]
    return parameters
