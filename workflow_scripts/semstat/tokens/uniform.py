"""Uniform: as many tokens as a document has, and nothing else of it: no language at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def uniform(
    tokens_t: NDArray[np.int32], ordinary_v: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.int32]:
    """As many tokens, drawn uniformly from the ordinary ones; the prefix token stays first.

    Parameters
    ----------
    tokens_t : (tokens,) the prefix token first.
    ordinary_v : (ids,) whether each id may be drawn; one of them at least.
    """
    drawn = rng.integers(len(ordinary_v), size=len(tokens_t) - 1, dtype=np.int32)
    # Again where it is none, so that the others do not depend on which may be drawn.
    while len(others := np.flatnonzero(~ordinary_v[drawn])):
        drawn[others] = rng.integers(len(ordinary_v), size=len(others), dtype=np.int32)
    return np.concatenate([tokens_t[:1], drawn])
