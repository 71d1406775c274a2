"""What model files are called, read off their names; pure.

A file's name is text that anybody may have written. One that could pass for something else in a list, a log or a
request (control characters, line ends, turned reading direction, bytes that are no text) names no model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePath

import msgspec

from llamero.infrastructure.plain_text import one_line

ENDING = ".gguf"
NAME_LIMIT = 200

# llama.cpp's way of naming the parts of a split model, `llama_split_path`.
_SHARD = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})")
# The names of llama.cpp's quantizations (`llama_ftype`), the last of them in a file's name, with "UD" for Unsloth's.
_QUANT = re.compile(
    r"(?:^|[-._])((?:UD-)?(?:I?Q[1-9](?:_[A-Z0-9]{1,3}){0,4}|TQ[12]_0|MXFP4(?:_MOE)?|NVFP4|BF16|FP?16|FP?32|I8))(?=$|[-.])",
    re.IGNORECASE,
)
_ONLY_PUNCTUATION = re.compile(r"[\W_]*")


class Group(msgspec.Struct, frozen=True):
    """The files of one model, in their order. `missing` counts the parts of a split model that are not there."""

    stem: str
    paths: tuple[str, ...]
    missing: int = 0


def can_name(text: str) -> bool:
    """Can this be the name of a model?"""
    return (
        len(text) <= NAME_LIMIT
        and text == text.strip()
        and one_line(text) == text
        and _ONLY_PUNCTUATION.fullmatch(text) is None
    )


def stem_of(path: str) -> str:
    """The file's name without its ending."""
    return PurePath(path).name[: -len(ENDING)]


def is_projector(path: str) -> bool:
    """Is this the part that sees or hears, which is no model by itself?"""
    return "mmproj" in PurePath(path).name.lower()


def quantization(stem: str) -> str:
    """How the numbers of the model are kept, as its name says, in capitals: `Q4_K_M`; empty where it does not say."""
    found = _QUANT.findall(stem)
    return str(found[-1]).upper() if found else ""


def hub_name(repository: str, stem: str) -> str:
    """`owner/repository:QUANT`, or with the file's name where that says nothing of a quantization."""
    return f"{repository}:{quantization(stem) or stem}"


def grouped(paths: Iterable[str]) -> tuple[Group, ...]:
    """Put the parts of split models together, in the order in which the first file of each comes."""
    groups: dict[tuple[str, str, int], dict[int, str]] = {}
    for path in paths:
        stem, folder = stem_of(path), str(PurePath(path).parent)
        shard = _SHARD.fullmatch(stem)
        if shard is None:
            groups[folder, stem, 0] = {1: path}
        else:
            parts = groups.setdefault((folder, shard["stem"], int(shard["count"])), {})
            parts[int(shard["number"])] = path
    return tuple([_group(stem, count, parts) for (_, stem, count), parts in groups.items()])


def _group(stem: str, count: int, parts: dict[int, str]) -> Group:
    wanted = [parts[number] for number in sorted(parts) if 1 <= number <= max(count, 1)]
    return Group(stem, tuple(wanted), max(count, 1) - len(wanted))
