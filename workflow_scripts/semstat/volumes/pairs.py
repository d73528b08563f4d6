"""Pairs of a last and a correct token, drawn from text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Pairs(NamedTuple):
    """Pairs of tokens, and where they stand.

    document_r : (pairs,) which of the documents each is from; no two are from one.
    position_r : (pairs,) index of its last token there, as the prefix token has 0.
    ids_r2 : (pairs, 2) last and correct token.
    """

    document_r: NDArray[np.int64]
    position_r: NDArray[np.int64]
    ids_r2: NDArray[np.int64]


def draw_pairs(
    ids_of_documents: Sequence[NDArray[np.integer]], pairs: int, seed: int, earliest: int = 1
) -> Pairs:
    """Pairs of a last and a correct token of text, one of a document; the first of more are these.

    Parameters
    ----------
    ids_of_documents : tokens of each document, the prefix token first.
    earliest : the first position at which a last token may stand.

    Raises
    ------
    ValueError
        If there are too few documents in which a token follows that is not the one before it.
    """
    rng = np.random.default_rng(seed)
    found = []
    for document in rng.permutation(len(ids_of_documents)):
        ids_t = np.asarray(ids_of_documents[document], dtype=np.int64)
        # Where both are the same, H is 0 in all of the space.
        position_s = earliest + np.flatnonzero(ids_t[earliest:-1] != ids_t[earliest + 1 :])
        if len(position_s):
            at = position_s[rng.integers(len(position_s))]
            found.append((document, at, ids_t[at : at + 2]))
        if len(found) == pairs:
            return Pairs(*map(np.array, zip(*found, strict=True)))
    raise ValueError(
        f"{pairs} pairs of tokens need as many documents, and {len(found)} have one; take at most "
        f"{len(found)}, or more documents"
    )
