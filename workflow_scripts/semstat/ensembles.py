"""Null ensembles: what the energies look like when the text means nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Tokens = NDArray[np.int32]


def shuffled(tokens_t: Tokens, _vocabulary: int, rng: np.random.Generator) -> Tokens:
    """The document's own tokens in random order; the prefix token stays first."""
    return np.concatenate([tokens_t[:1], rng.permutation(tokens_t[1:])])


def uniform(tokens_t: Tokens, vocabulary: int, rng: np.random.Generator) -> Tokens:
    """As many tokens, drawn uniformly from the vocabulary; the prefix token stays first."""
    drawn = rng.integers(vocabulary, size=len(tokens_t) - 1, dtype=np.int32)
    return np.concatenate([tokens_t[:1], drawn])


ENSEMBLES: dict[str, Callable[[Tokens, int, np.random.Generator], Tokens]] = {
    "shuffled": shuffled,
    "uniform": uniform,
}
