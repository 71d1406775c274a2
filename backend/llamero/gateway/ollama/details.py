"""What is said about models in Ollama's words. Pure.

Everything comes from the list of names and the header of the file. What a file does not say is empty; a digest stands
for the state of a file, not for its content, which is never read for it. Every model with a chat template may be given
tools, as llama.cpp has a form of calling them that goes with any template; whether one thinks is not told.
"""

from __future__ import annotations

import hashlib

from llamero.gateway.ollama.response import timestamp
from llamero.models.aliases import ListedModel
from llamero.models.gguf import GgufHeader, ModelFileFacts
from llamero.models.llama import ServerSnapshot

# llama.cpp's `llama_ftype`: what most tensors of a file are quantized to.
QUANTIZATIONS = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    19: "IQ2_XXS",
    20: "IQ2_XS",
    21: "Q2_K_S",
    22: "IQ3_XS",
    23: "IQ3_XXS",
    24: "IQ1_S",
    25: "IQ4_NL",
    26: "IQ3_S",
    27: "IQ3_M",
    28: "IQ2_S",
    29: "IQ2_M",
    30: "IQ4_XS",
    31: "IQ1_M",
    32: "BF16",
    36: "TQ1_0",
    37: "TQ2_0",
    38: "MXFP4_MOE",
}
# What Ollama says of a model that is kept for good, more or less.
_FOR_GOOD_S = 100 * 365 * 86_400.0

_Fields = dict[str, object]


def listed(model: ListedModel, facts: ModelFileFacts | None) -> _Fields:
    """One line of the list of models."""
    return {
        "name": model.id,
        "model": model.id,
        "modified_at": timestamp(_modified(model, facts)),
        "size": facts.size_bytes if facts else model.size_bytes,
        "digest": digest(model.path or model.id, facts),
        "details": details(facts),
    }


def shown(model: ListedModel, facts: ModelFileFacts | None) -> _Fields:
    """Everything about one model."""
    return {
        "modelfile": f"FROM {model.id}\n",
        "parameters": "",
        "template": "",
        "license": "",
        "details": details(facts),
        "model_info": model_info(facts.header if facts else None),
        "capabilities": capabilities(model, facts),
        "modified_at": timestamp(_modified(model, facts)),
    }


def running(server: ServerSnapshot, facts: ModelFileFacts | None, *, now: float, monotonic: float) -> _Fields:
    """One model that is loaded. `now` and `monotonic` are the same moment on the two clocks."""
    left_s = server.keep_alive_s if server.expires_at is None else max(0.0, server.expires_at - monotonic)
    size = server.memory_bytes or (facts.size_bytes if facts else 0)
    return {
        "name": server.model.alias,
        "model": server.model.alias,
        "size": size,
        "digest": digest(server.model.path, facts),
        "details": details(facts),
        "expires_at": timestamp(now + (left_s if server.keep_alive_s >= 0 else _FOR_GOOD_S)),
        "size_vram": 0 if server.variant == "cpu" else size,
        "context_length": server.limits.context or 0,
    }


def details(facts: ModelFileFacts | None) -> _Fields:
    """What kind of model it is."""
    header = facts.header if facts else None
    family = header.architecture if header else ""
    return {
        "parent_model": "",
        "format": "gguf" if header else "",
        "family": family,
        "families": [family] if family else [],
        "parameter_size": header.size_label if header else "",
        "quantization_level": _quantization(header),
    }


def capabilities(model: ListedModel, facts: ModelFileFacts | None) -> list[str]:
    """What can be asked of a model, as far as it is known."""
    header = facts.header if facts else None
    if model.embedding or (header is not None and header.is_embedding):
        return ["embedding"]
    can = ["completion"]
    if header is None or header.has_chat_template is not False:
        can.append("tools")
    if model.sees:
        can.append("vision")
    return can


def model_info(header: GgufHeader | None) -> _Fields:
    """The values of a header by their keys in the file. Source of the keys: ggml's `docs/gguf.md`."""
    if header is None:
        return {}
    kind = header.architecture
    values: _Fields = {
        "general.architecture": kind,
        "general.name": header.name or None,
        "general.size_label": header.size_label or None,
        "general.file_type": header.file_type,
        f"{kind}.context_length": header.context_length,
        f"{kind}.embedding_length": header.embedding_length,
        f"{kind}.block_count": header.block_count,
        f"{kind}.attention.head_count": header.head_count,
        f"{kind}.attention.head_count_kv": header.head_count_kv,
        f"{kind}.attention.key_length": header.key_length,
        f"{kind}.attention.value_length": header.value_length,
        f"{kind}.pooling_type": header.pooling_type,
    }
    return {key: value for key, value in values.items() if value is not None}


def digest(name: str, facts: ModelFileFacts | None) -> str:
    """A digest that changes with the state of a file, and tells nothing about where it lies."""
    state = f"{name}\0{facts.size_bytes}\0{facts.modified!r}" if facts else name
    return hashlib.sha256(state.encode("utf-8", "surrogateescape")).hexdigest()


def _quantization(header: GgufHeader | None) -> str:
    if header is None or header.file_type is None:
        return ""
    return QUANTIZATIONS.get(header.file_type, "unknown")


def _modified(model: ListedModel, facts: ModelFileFacts | None) -> float:
    return facts.modified if facts else float(model.created)
