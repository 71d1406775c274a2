"""What a model file says about itself, read from its header without an engine."""

from __future__ import annotations

import msgspec

# llama.cpp's architectures that only embed (its `llm_arch` names), whatever their file says about pooling.
EMBEDDING_ARCHITECTURES = frozenset(
    {
        "bert",
        "eurobert",
        "gemma-embedding",
        "jina-bert-v2",
        "jina-bert-v3",
        "llama-embed",
        "modern-bert",
        "neo-bert",
        "nomic-bert",
        "nomic-bert-moe",
        "t5encoder",
    }
)
PROJECTOR_ARCHITECTURE = "clip"


class GgufHeader(msgspec.Struct, frozen=True, kw_only=True):
    """A GGUF header. None means that the file does not say.

    `file_size` is in bytes, over all parts of a split model. `pooling_type` counts as llama.cpp does: 0 none, 1 mean,
    2 first token, 3 last token, 4 rank. `has_chat_template` is None when the template may stand behind the vocabulary,
    where reading stops. `head_count` and `head_count_kv` are the largest where layers differ.
    """

    version: int
    tensor_count: int
    file_size: int
    architecture: str = ""
    name: str = ""
    size_label: str = ""
    file_type: int | None = None
    context_length: int | None = None
    embedding_length: int | None = None
    block_count: int | None = None
    head_count: int | None = None
    head_count_kv: int | None = None
    key_length: int | None = None
    value_length: int | None = None
    pooling_type: int | None = None
    has_chat_template: bool | None = None
    split_number: int = 0
    split_count: int = 1

    @property
    def is_embedding(self) -> bool:
        """Made to embed or to rank, not to write."""
        return self.architecture in EMBEDDING_ARCHITECTURES or bool(self.pooling_type)

    @property
    def is_mmproj(self) -> bool:
        """A projector, the part that sees or hears: loaded beside another file (`--mmproj`), never alone."""
        return self.architecture == PROJECTOR_ARCHITECTURE


class ModelFileFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A model file as it is now: bytes over all its parts, when it was changed, and its header, if that can be read.

    `modified` is in seconds since the epoch.
    """

    size_bytes: int
    modified: float
    header: GgufHeader | None = None
