"""The yardstick of a small model: a chain of bigrams, counted on what it was trained on."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

Tokens = NDArray[np.int32]


class Bigrams:
    """How probable a token is after the last one, by counts interpolated as Witten and Bell do.

    p(v | u) = (c(u, v) + κ_u p(v)) / (c(u) + κ_u), where κ_u different tokens followed u; and
    p(v) = (c(v) + κ / V) / (n + κ), where κ of the V tokens of the vocabulary are among the n
    counted (Witten and Bell 1991, doi:10.1109/18.87000).

    Parameters
    ----------
    documents : (tokens,) ids of each; pairs are counted within them.
    vocabulary : V.
    """

    def __init__(self, documents: Iterable[Tokens], vocabulary: int) -> None:
        pairs = [(tokens_t[:-1], tokens_t[1:]) for tokens_t in documents]
        last_s, next_s = (np.concatenate(side) for side in zip(*pairs, strict=True))
        ones_s = np.ones(len(last_s))
        self.count_vv = coo_array((ones_s, (last_s, next_s)), (vocabulary, vocabulary)).tocsr()
        self.count_vv.sum_duplicates()
        self.kinds_v = np.diff(self.count_vv.indptr)
        self.total_v = self.count_vv.sum(axis=1)
        count_v = np.bincount(next_s, minlength=vocabulary)
        kinds = np.count_nonzero(count_v)
        self.p_v = (count_v + kinds / vocabulary) / (len(next_s) + kinds)

    def surprisal(self, last_s: Tokens, correct_s: Tokens) -> NDArray[np.float64]:
        """(states,) −ln p(correct | last), nats.

        >>> chain = Bigrams([np.array([0, 1, 0, 1], np.int32)], 2)
        >>> np.exp(-chain.surprisal(np.array([0, 0]), np.array([0, 1]))).tolist()
        [0.13333333333333333, 0.8666666666666667]
        """
        count_s = np.asarray(self.count_vv[last_s, correct_s]).ravel()
        kinds_s, total_s = self.kinds_v[last_s], self.total_v[last_s]
        with np.errstate(invalid="ignore"):
            p_s = (count_s + kinds_s * self.p_v[correct_s]) / (total_s + kinds_s)
        surprisal_s: NDArray[np.float64] = -np.log(np.where(kinds_s, p_s, self.p_v[correct_s]))
        return surprisal_s
