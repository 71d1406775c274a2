"""A chain written down as the weights of a real llama: one attention head, one feed-forward layer.

The residual stream has one dimension for every state, one that is always on, and 64 for the code of the state before.

* The embedding sets the piece's state and the constant.
* The attention head looks exactly one position back: query and key are constants turned by RoPE, and the key is turned
  one step further, so their product is largest at distance one. It writes the code of the state found there.
* One neuron of the feed-forward layer stands for one rule. It opens for its state, or for its pair of states, takes the
  state away from the stream and adds the scores of the states that may follow.
* The output matrix is the embedding again, so a state's score becomes the logit of every piece with that state.

So the text depends on the KV cache as a large model's does: a wrong cache, position or batch is seen in the answer.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np
import numpy.typing as npt

from tiny_models.chain import Chain, Distribution

Matrix = npt.NDArray[np.float16] | npt.NDArray[np.float32]

HEAD = 64
ROPE_BASE = 100.0
NORM_EPSILON = 1e-6
#: Logit of a certain next piece above one that no rule names: exp(-30) never shows, even without top-k and top-p.
LOGIT_RANGE = 30.0
#: Part of the logit that a rule by state gives; a rule by pair adds the rest.
STATE_SHARE = 0.6
_SHARPNESS = 12.0  # length of query and key in each turned plane; the score falls by >= 20 beside distance one
_GATE = 40.0  # steepness of a rule's neuron: open at +20, closed at -20
_ANCHOR = 16.0  # a constant added at the end, so that the last norm hardly depends on how many states may follow


def _code(state: str) -> npt.NDArray[np.float32]:
    """A unit vector of 64 signs, the same on every machine and with every numpy."""
    digest = hashlib.sha256(state.encode()).digest()
    bits = np.unpackbits(np.frombuffer(digest[: HEAD // 8], np.uint8))
    return (bits.astype(np.float32) * 2 - 1) / np.float32(math.sqrt(HEAD))


def _scores(chain: Chain, follow: Distribution, share: float, *, flat: bool) -> npt.NDArray[np.float32]:
    """One column for the stream: `share` for the likeliest next state, less for the others by their log-probability."""
    column = np.zeros(len(chain.states), np.float32)
    best = max(follow.values())
    for state, probability in follow.items():
        behind = 0.0 if flat else math.log(probability / best) / LOGIT_RANGE
        column[chain.states.index(state)] = share + behind
    return column


class ChainWeights:
    """All tensors of the model for `chain`, by GGUF name, and the sizes that its metadata must state."""

    def __init__(self, chain: Chain, pieces: tuple[str, ...]) -> None:
        self._chain = chain
        #: Stored in 8 bits: large, nearly empty, and exact in them.
        self.quantized = frozenset({"blk.0.ffn_gate.weight", "blk.0.ffn_up.weight"})
        self._constant = math.ceil(len(chain.states) / 32) * 32
        self.width = self._constant + 32 + HEAD
        self.tensors: dict[str, Matrix] = {"token_embd.weight": self._embedding(pieces)}
        self._add_attention()
        self.hidden = self._add_rules()
        gain = LOGIT_RANGE * math.sqrt(((_ANCHOR + 1) ** 2 + 2) / self.width)
        self.tensors["output_norm.weight"] = self._gain(gain, states_only=True)

    def _gain(self, value: float, *, states_only: bool = False) -> Matrix:
        gain = np.full(self.width, value, np.float32)
        if states_only:
            gain[self._constant :] = 0
        return gain

    def _embedding(self, pieces: tuple[str, ...]) -> Matrix:
        embedding = np.zeros((len(pieces), self.width), np.float16)
        embedding[:, self._constant] = 1
        for number, piece in enumerate(pieces):
            embedding[number, self._chain.state_of(piece)] = 1
        return embedding

    def _add_attention(self) -> None:
        angles = ROPE_BASE ** (-np.arange(HEAD // 2) / (HEAD // 2))
        query, key, value = (np.zeros((HEAD, self.width), np.float32) for _ in range(3))
        query[0::2, self._constant] = _SHARPNESS
        key[0::2, self._constant] = _SHARPNESS * np.cos(angles)
        key[1::2, self._constant] = _SHARPNESS * np.sin(angles)
        value[:, : len(self._chain.states)] = np.stack([_code(state) for state in self._chain.states], axis=1)
        output = np.zeros((self.width, HEAD), np.float32)
        output[self.width - HEAD :, :] = np.eye(HEAD)
        self.tensors["blk.0.attn_norm.weight"] = self._gain(math.sqrt(2 / self.width))
        for name, matrix in (("q", query), ("k", key), ("v", value), ("output", output)):
            self.tensors[f"blk.0.attn_{name}.weight"] = matrix.astype(np.float16)

    def _add_rules(self) -> int:
        chain = self._chain
        singles, pairs = chain.rules()
        hidden = math.ceil((len(singles) + len(pairs)) / 32) * 32
        gate, up = (np.zeros((hidden, self.width), np.float32) for _ in range(2))
        down = np.zeros((self.width, hidden), np.float32)
        states = slice(0, len(chain.states))
        ambiguous = {current for _, current in pairs}
        for neuron, (state, follow) in enumerate(singles.items()):
            own = chain.states.index(state)
            gate[neuron, own] = _GATE
            gate[neuron, self._constant] = -_GATE / 2
            down[states, neuron] = _scores(chain, follow, STATE_SHARE, flat=state in ambiguous)
            down[own, neuron] -= 1
            down[self._constant, neuron] = _ANCHOR
        for neuron, ((before, current), follow) in enumerate(pairs.items(), len(singles)):
            gate[neuron, chain.states.index(current)] = _GATE
            gate[neuron, self._constant] = -1.5 * _GATE
            gate[neuron, self.width - HEAD :] = _GATE * _code(before)
            down[states, neuron] = _scores(chain, follow, 1 - STATE_SHARE, flat=False)
        up[: len(singles) + len(pairs), self._constant] = 2 / _GATE
        self.tensors["blk.0.ffn_norm.weight"] = self._gain(math.sqrt(3 / self.width))
        for name, matrix in (("gate", gate), ("up", up), ("down", down)):
            self.tensors[f"blk.0.ffn_{name}.weight"] = matrix.astype(np.float16)
        return hidden
