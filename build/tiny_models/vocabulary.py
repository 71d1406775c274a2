"""A SentencePiece-style vocabulary in which every text of the corpus has exactly one tokenization.

llama.cpp's SPM tokenizer starts from single characters and joins the best-scored neighbours again and again. So that
this always ends at whole words:

* every prefix of every word is a piece, and a longer piece scores better: a word grows from its left end;
* a word inside a text starts with the space mark; only a word that opens a paragraph or a line stands without one, and
  such words start with a capital, so none of their prefixes can be found inside another word;
* a piece with the space mark scores better than the same length without, so the mark is never left behind.

That makes a generated text tokenize to the ids that generated it: a prompt cache hits, and a generation that continues
from its text goes on as if nothing had happened.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

import gguf

SPACE = "\u2581"
NEWLINE = "<0x0A>"
TAB = "<0x09>"
UNKNOWN, START, END = "<unk>", "<s>", "</s>"
TURN_START, TURN_END, PADDING = "<|im_start|>", "<|im_end|>", "<|endoftext|>"
FILL_PREFIX, FILL_SUFFIX, FILL_MIDDLE = "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"
THINK_START, THINK_END, CALL_START, CALL_END = "<think>", "</think>", "<tool_call>", "</tool_call>"

_TOKEN = re.compile(r"\n|[ ]?[A-Za-z0-9']+|-|[.,:;!?]")


class Vocabulary(NamedTuple):
    """Pieces in the order of their ids, with score and type as GGUF stores them."""

    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    types: tuple[int, ...]

    def ids(self) -> dict[str, int]:
        """The id of every piece."""
        return {piece: number for number, piece in enumerate(self.pieces)}


def split_pieces(paragraph: str) -> list[str]:
    """Cut a paragraph into the pieces that the tokenizer will find. Raises ValueError where a character is left."""
    found = _TOKEN.findall(paragraph)
    if "".join(found) != paragraph:
        message = f"no pieces for {paragraph!r}"
        raise ValueError(message)
    return [NEWLINE if text == "\n" else text.replace(" ", SPACE) for text in found]


def build_vocabulary(paragraphs: Iterable[str]) -> Vocabulary:
    """Control pieces, the 256 bytes, printable ASCII, and every prefix of every word in `paragraphs`."""
    entries: dict[str, tuple[float, gguf.TokenType]] = {UNKNOWN: (0.0, gguf.TokenType.UNKNOWN)}
    for piece in (START, END, TURN_START, TURN_END, FILL_PREFIX, FILL_SUFFIX, FILL_MIDDLE, PADDING):
        entries[piece] = (0.0, gguf.TokenType.CONTROL)
    for piece in (THINK_START, THINK_END, CALL_START, CALL_END):
        entries[piece] = (0.0, gguf.TokenType.USER_DEFINED)
    for byte in range(256):
        entries[f"<0x{byte:02X}>"] = (0.0, gguf.TokenType.BYTE)
    for character in (SPACE, *map(chr, range(33, 127))):
        entries[character] = (-1000.0, gguf.TokenType.NORMAL)
    for paragraph in paragraphs:
        for piece in split_pieces(paragraph):
            if piece in entries:
                continue
            for length in range(2, len(piece) + 1):
                score = -100.0 + 2 * length + piece.startswith(SPACE)
                entries.setdefault(piece[:length], (score, gguf.TokenType.NORMAL))
    return Vocabulary(
        tuple(entries),
        tuple(score for score, _ in entries.values()),
        tuple(int(kind) for _, kind in entries.values()),
    )
