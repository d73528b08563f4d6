"""Sentences of a text, as tokens have them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sentence_bounds(ends_t: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(sentences + 1,) where a text's whole sentences begin, and where the last of them ends.

    Parameters
    ----------
    ends_t : (tokens,) whether each token ends a sentence; the first is the prefix token, which is
        in none.

    >>> sentence_bounds(np.array([False, False, True, False, True, False]))
    array([1, 3, 5])
    """
    return np.append(1, np.flatnonzero(ends_t[1:]) + 2)
