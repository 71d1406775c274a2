"""Vectors of fewer dimensions than a model gives: llama-server passes over `dimensions`, so it is done here."""

from __future__ import annotations

import math
from collections.abc import Sequence


def shortened(vector: Sequence[float], dimensions: int) -> list[float]:
    """Return the first numbers of a vector, made as long as the whole was: of length 1, as a rule.

    This is what `dimensions` means at OpenAI and Ollama, for models that put the coarse of a text first (Matryoshka).
    """
    if dimensions >= len(vector):
        return list(vector)
    kept = vector[:dimensions]
    length = math.hypot(*kept)
    scale = math.hypot(*vector) / length if length else 1.0
    return [number * scale for number in kept]
