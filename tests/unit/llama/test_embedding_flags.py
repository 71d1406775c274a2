"""What an engine is told for a model that embeds or ranks, beside what people chose."""

from __future__ import annotations

import pytest

from llamero.infrastructure.llama.args import config_arguments, merge
from llamero.infrastructure.llama.flag_table import EngineFlags
from llamero.infrastructure.llama.help_text import parse_help
from llamero.models.gguf import GgufHeader
from llamero.models.llama import LlamaCppConfig, ModelId
from llamero.services.llama.embedding_flags import embedding_flags, embeds

HELP = """\
----- common params -----

-c,    --ctx-size N                     context
-ub,   --ubatch-size N                  tokens at once
--pooling {none,mean,cls,last,rank}     how to pool
--embedding, --embeddings               only embed
--reranking, --rerank                   only rank
"""
FLAGS = EngineFlags(parse_help(HELP))
OLD_FLAGS = EngineFlags(parse_help(HELP.replace("--pooling {none,mean,cls,last,rank}", "--other")))
WRITES = GgufHeader(version=3, tensor_count=1, file_size=1, architecture="llama", context_length=8192)
POOLS = GgufHeader(version=3, tensor_count=1, file_size=1, architecture="qwen3", context_length=1024, pooling_type=3)
SHORT = GgufHeader(version=3, tensor_count=1, file_size=1, architecture="bert", context_length=512, pooling_type=2)
RANKS = GgufHeader(version=3, tensor_count=1, file_size=1, architecture="bert", context_length=512, pooling_type=4)


def added(header: GgufHeader, arguments: str = "", flags: EngineFlags = FLAGS, **parameters: object) -> list[str]:
    config = LlamaCppConfig(model=ModelId("m", "/m.gguf"), **parameters)  # type: ignore[arg-type]
    merged = merge((), (), [arguments], flags, config=config_arguments(config))
    return [" ".join((flag.name, *flag.values)) for flag in embedding_flags(header, config, merged, flags)]


@pytest.mark.parametrize(
    ("header", "parameters", "arguments", "expected"),
    [
        (WRITES, {}, "", []),
        (SHORT, {}, "", ["--embedding"]),
        (POOLS, {}, "", ["--embedding", "--ubatch-size 1024"]),
        (RANKS, {}, "", ["--embedding", "--reranking"]),
        (WRITES, {"embedding": True}, "", ["--pooling mean", "--ubatch-size 2048"]),
        (WRITES, {"embedding": True, "context_length": 600}, "", ["--pooling mean", "--ubatch-size 600"]),
        (WRITES, {"embedding": True}, "-ub 64 --pooling last", []),
        (WRITES, {}, "--embeddings", ["--pooling mean", "--ubatch-size 2048"]),
        (WRITES, {}, "--rerank -ub 512", ["--embedding"]),
    ],
    ids=lambda value: getattr(value, "architecture", str(value)),
)
def test_embedding_flags_are_those_that_nobody_chose(
    header: GgufHeader, parameters: dict[str, object], arguments: str, expected: list[str]
) -> None:
    assert added(header, arguments, **parameters) == expected


def test_embedding_flags_are_those_that_the_engine_has() -> None:
    assert added(WRITES, flags=OLD_FLAGS, embedding=True) == ["--ubatch-size 2048"]


@pytest.mark.parametrize(
    ("header", "arguments", "expected"),
    [(WRITES, "", False), (POOLS, "", True), (WRITES, "--embeddings", True), (WRITES, "--rerank", True)],
    ids=lambda value: getattr(value, "architecture", str(value)),
)
def test_model_embeds_that_was_made_for_it_or_told_to(header: GgufHeader, arguments: str, expected: bool) -> None:
    assert embeds(header, merge((), (), [arguments], FLAGS), FLAGS) is expected
