"""Windows to train on: documents one after the other, cut, mixed and put into an order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def pack(documents: Sequence[NDArray[np.int32]], sequence: int) -> NDArray[np.int32]:
    """Windows of documents put one after the other; each token but the first is predicted once.

    >>> pack([np.array([0, 1, 2], np.int32), np.array([0, 3, 4], np.int32)], 2).tolist()
    [[0, 1, 2], [2, 0, 3]]

    Parameters
    ----------
    documents : (tokens,) each, the prefix token first, which thus stands between documents.
    sequence : tokens that the model sees of a window.

    Returns
    -------
    (windows, sequence + 1) token ids; a window begins with the last token of the one before. What
    is left at the end makes none.
    """
    token_t = np.concatenate([*documents])
    windows = max(0, len(token_t) - 1) // sequence
    first_x = sequence * np.arange(windows)
    window_xt: NDArray[np.int32] = token_t[first_x[:, None] + np.arange(sequence + 1)]
    return window_xt


def mix(
    windows_i: Sequence[int], share_i: Sequence[float], wanted: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Which window comes when: a random order of each source, again and again, in these shares.

    Parameters
    ----------
    windows_i : windows of each source; those of the first source are numbered first.
    share_i : of the windows wanted, relative to each other.
    wanted : windows.

    Returns
    -------
    (wanted,) numbers of windows; no window comes a time more often than another of its source.
    """
    share_i = np.asarray(share_i, dtype=np.float64) / np.sum(share_i)
    edge_i = np.rint(wanted * np.concatenate([[0.0], np.cumsum(share_i)])).astype(np.int64)
    first_i = np.cumsum([0, *windows_i[:-1]])
    source_x = rng.permutation(np.repeat(np.arange(len(windows_i)), np.diff(edge_i)))
    order_x = np.empty(wanted, dtype=np.int64)
    for source, (first, windows) in enumerate(zip(first_i, windows_i, strict=True)):
        here_x = np.flatnonzero(source_x == source)
        rounds = -(-len(here_x) // windows)
        drawn = np.concatenate([rng.permutation(windows) for _ in range(rounds)] or [here_x[:0]])
        order_x[here_x] = first + drawn[: len(here_x)]
    return order_x
