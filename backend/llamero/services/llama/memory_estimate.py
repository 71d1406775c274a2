"""How much memory a model will take, judged by its header before anything is started."""

from __future__ import annotations

from llamero.models.gguf import GgufHeader


def memory_estimate(header: GgufHeader, context_length: int | None = None, parallel: int | None = None) -> int:
    """Bytes that a server takes for this model: the file, and the keys and values of its whole context in 16 bits.

    llama.cpp's `llama_kv_cache` keeps, in each layer and for each token, `head_count_kv` keys and values of
    `embedding_length / head_count` numbers unless the header names their lengths. All slots share one context, padded
    so that each has at least 256 tokens. Compute buffers are left out: they depend on the batch and the device.
    """
    tokens = context_length or header.context_length or 4096
    tokens = max(tokens, 256 * max(parallel or 1, 1))
    heads = header.head_count or 1
    per_head = (header.embedding_length or 0) // heads
    keys, values = header.key_length or per_head, header.value_length or per_head
    kv_heads = heads if header.head_count_kv is None else header.head_count_kv
    return header.file_size + (header.block_count or 0) * tokens * kv_heads * (keys + values) * 2
