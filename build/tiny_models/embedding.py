"""The model that embeds: a BERT whose words have their meaning written into their vectors.

Words of one group share a center, so "cat" and "kitten" point the same way and "cat" and "invoice" do not. Words and
signs that mean nothing by themselves have no vector at all; an unknown word is spelled by letters, each with its own
direction. Attention and feed-forward are there and add nothing; pooling takes the mean.
"""

from __future__ import annotations

import hashlib
import string
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

from tiny_models.vocabulary import SPACE

WIDTH, HEADS, HIDDEN, CONTEXT_LENGTH = 64, 4, 128, 512
GROUPS = {
    "animals": "cat cats kitten kittens dog dogs puppy llama llamas alpaca animal animals pet pets fur herd",
    "money": "tax taxes invoice invoices money bank price prices payment income budget accountant salary",
    "mountains": "mountain mountains hill hills valley peak path paths rock rocks climb summit trail",
    "computers": "computer computers program programs server servers memory file files code machine software",
    "food": "bread soup apple apples cheese rice meal meals cook kitchen dinner salt fruit",
}
SILENT = "a an and are at by for from has have in is it my of on or our that the this to was we with you your"
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_OWN_DIRECTION = 0.35  # length of what a word adds to the center of its group: cosine within a group is about 0.9


def _direction(name: str) -> npt.NDArray[np.float32]:
    """A vector of signs with mean zero and length 1, the same on every machine and with every numpy."""
    digest = hashlib.sha256(name.encode()).digest()
    signs = np.unpackbits(np.frombuffer(digest, np.uint8))[: WIDTH // 2].astype(np.float32) * 2 - 1
    return np.asarray(np.concatenate([signs, -signs]) / np.float32(WIDTH**0.5), np.float32)


def _vocabulary() -> dict[str, npt.NDArray[np.float32]]:
    """Every piece with its vector. A piece that starts a word has the space mark, one that goes on has none."""
    nothing = np.zeros(WIDTH, np.float32)
    pieces = dict.fromkeys(_SPECIAL, nothing)
    pieces.update({mark + sign: nothing for sign in string.punctuation for mark in (SPACE, "")})
    for character in string.digits + string.ascii_lowercase:
        pieces[SPACE + character] = pieces[character] = _direction(f"character {character}")
    pieces.update({SPACE + word: nothing for word in SILENT.split()})
    for group, words in GROUPS.items():
        for word in words.split():
            pieces[SPACE + word] = _direction(f"group {group}") + _OWN_DIRECTION * _direction(f"word {word}")
    return pieces


def _tensors(embedding: npt.NDArray[np.float32]) -> dict[str, npt.NDArray[np.float32]]:
    ones, zeros = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)
    square = np.zeros((WIDTH, WIDTH), np.float32)
    tensors = {
        "token_embd.weight": embedding,
        "token_types.weight": np.zeros((2, WIDTH), np.float32),
        "position_embd.weight": np.zeros((CONTEXT_LENGTH, WIDTH), np.float32),
        "token_embd_norm.weight": ones,
        "token_embd_norm.bias": zeros,
    }
    for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
        tensors[f"blk.0.{part}.weight"] = square
        tensors[f"blk.0.{part}.bias"] = zeros
    tensors["blk.0.ffn_up.weight"] = np.zeros((HIDDEN, WIDTH), np.float32)
    tensors["blk.0.ffn_up.bias"] = np.zeros(HIDDEN, np.float32)
    tensors["blk.0.ffn_down.weight"] = np.zeros((WIDTH, HIDDEN), np.float32)
    tensors["blk.0.ffn_down.bias"] = zeros
    for part in ("attn_output_norm", "layer_output_norm"):
        tensors[f"blk.0.{part}.weight"] = ones
        tensors[f"blk.0.{part}.bias"] = zeros
    return tensors


def write_embedding_model(path: Path, name: str) -> None:
    """Write a model that embeds."""
    pieces = _vocabulary()
    tokens = list(pieces)
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_name(name)
    writer.add_type("model")
    writer.add_size_label("tiny")
    writer.add_license("MIT")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_context_length(CONTEXT_LENGTH)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_type_count(2)
    writer.add_token_list(tokens)
    writer.add_token_types(
        [int(gguf.TokenType.CONTROL if token in _SPECIAL else gguf.TokenType.NORMAL) for token in tokens]
    )
    for key, token in (("padding", "[PAD]"), ("unknown", "[UNK]"), ("cls", "[CLS]"), ("seperator", "[SEP]")):
        writer.add_uint32(f"tokenizer.ggml.{key}_token_id", tokens.index(token))
    writer.add_uint32("tokenizer.ggml.bos_token_id", tokens.index("[CLS]"))
    writer.add_uint32("tokenizer.ggml.eos_token_id", tokens.index("[SEP]"))
    writer.add_uint32("tokenizer.ggml.mask_token_id", tokens.index("[MASK]"))
    for tensor_name, tensor in _tensors(np.stack(list(pieces.values()))).items():
        writer.add_tensor(tensor_name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
