"""Uniform: as many tokens as a document has, and nothing else of it: no language at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def uniform(
    tokens_t: NDArray[np.int32], vocabulary: int, rng: np.random.Generator
) -> NDArray[np.int32]:
    """As many tokens, drawn uniformly from the vocabulary; the prefix token stays first."""
    drawn = rng.integers(vocabulary, size=len(tokens_t) - 1, dtype=np.int32)
    return np.concatenate([tokens_t[:1], drawn])
