"""The engine's flags for a model that embeds or ranks, where nobody has chosen others. Pure.

llama-server's defaults are made for writing. A text that is embedded has to fit into one physical batch, of 512 tokens
unless told otherwise, and a file that says nothing of pooling gives a vector for each token, which `/v1/embeddings`
refuses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llamero.infrastructure.llama.args import Flag, MergedFlag, has_flag
from llamero.infrastructure.llama.flag_table import EngineFlags
from llamero.models.gguf import GgufHeader
from llamero.models.llama import LlamaCppConfig

EMBEDDING = "--embedding"
POOLING = "--pooling"
RANKING = "--reranking"
UBATCH = "--ubatch-size"
RANK = 4  # llama.cpp: LLAMA_POOLING_TYPE_RANK
ENGINES_UBATCH = 512
# What is computed at once takes memory by its square.
LARGEST_UBATCH = 2048


def embeds(header: GgufHeader, merged: Sequence[MergedFlag], flags: EngineFlags) -> bool:
    """Is the model made to embed, or told to?"""
    return header.is_embedding or has_flag(merged, EMBEDDING, flags) or has_flag(merged, RANKING, flags)


def embedding_flags(
    header: GgufHeader, config: LlamaCppConfig, merged: Sequence[MergedFlag], flags: EngineFlags
) -> tuple[Flag, ...]:
    """What is added to `merged`; nothing for a model that does not embed, and no flag that the engine does not have."""
    if not embeds(header, merged, flags):
        return ()
    wanted = _wanted(header, config, ranks=has_flag(merged, RANKING, flags))
    return tuple(flag for flag in wanted if flags.find(flag.name) and not has_flag(merged, flag.name, flags))


def _wanted(header: GgufHeader, config: LlamaCppConfig, *, ranks: bool) -> Iterator[Flag]:
    yield Flag(EMBEDDING)
    if header.pooling_type == RANK:
        yield Flag(RANKING)
    elif not header.pooling_type and not ranks:
        yield Flag(POOLING, ("mean",))
    context = config.context_length or header.context_length or ENGINES_UBATCH
    if context > ENGINES_UBATCH:
        yield Flag(UBATCH, (str(min(context, LARGEST_UBATCH)),))
