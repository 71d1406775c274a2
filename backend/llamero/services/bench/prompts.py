"""Prompts of a given length that no cache has seen: words in a random order, beginning with a number of their own.

How many tokens a word is differs between models, so it is learned from a first answer of the model.
"""

from __future__ import annotations

from random import Random

WORDS = (
    "mountain", "river", "llama", "stone", "valley", "cloud", "ridge", "snow", "path", "herd", "wool", "bridge",
    "morning", "village", "lake", "condor", "rope", "blanket", "potato", "sun", "fire", "pass", "salt", "field", "wind",
    "star", "grass", "shepherd", "market", "drum",
)  # fmt: skip
TOKENS_PER_WORD = 1.5
INTRODUCTION = "Tell a story with these words:"


class Prompts:
    """Makes prompts, of a length that comes closer to what is wanted once it has learned from two of them."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = Random(seed)  # noqa: S311 - nobody is to be kept from guessing them
        self._tokens_per_word = TOKENS_PER_WORD
        self._tokens_besides = 0.0

    def words(self, count: int) -> str:
        """Return a prompt of that many words. A number in front makes sure that it is a new one from the beginning.

        No word comes again before all others have come, so prompts of many words are alike in tokens, too.
        """
        count, chosen = max(1, count), list[str]()
        while len(chosen) < count:
            chosen += self._random.sample(WORDS, len(WORDS))
        return f"{self._random.randrange(10**6):06} {INTRODUCTION} {' '.join(chosen[:count])}"

    def tokens(self, count: int) -> str:
        """Return a prompt of about that many tokens, with what the model's template adds."""
        return self.words(round((count - self._tokens_besides) / self._tokens_per_word))

    def learn(self, words: int, tokens: int, fewer_words: int, fewer_tokens: int) -> None:
        """Learn how long two prompts turned out. A server that does not count teaches nothing."""
        if tokens > fewer_tokens > 0 and words > fewer_words:
            self._tokens_per_word = (tokens - fewer_tokens) / (words - fewer_words)
            self._tokens_besides = max(0.0, tokens - words * self._tokens_per_word)
