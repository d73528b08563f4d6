"""Shuffled: a document without its order, so without grammar."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def shuffled(tokens_t: NDArray[np.int32], rng: np.random.Generator) -> NDArray[np.int32]:
    """The document's own tokens in random order; the prefix token stays first."""
    return np.concatenate([tokens_t[:1], rng.permutation(tokens_t[1:])])
