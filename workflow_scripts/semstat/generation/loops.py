"""Whether a text goes round in circles: exact loops, and n-grams that it has had before.

A loop is what serving tools take for one: a period of 1 to 128 tokens, at least three exact copies
of it, over at least 48 tokens. One changed token ends a loop; rep-n sees what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

LONGEST_PERIOD = 128
FEWEST_COPIES = 3
FEWEST_TOKENS = 48


class Loops(NamedTuple):
    """The loops of a text.

    onset : index of the first token of the loop that begins first; None without a loop.
    period : its period, the smallest that fits.
    ends : whether the text ends in a loop, whichever.
    share : of its tokens that are in a loop, whichever; 0 of a text without tokens.
    """

    onset: int | None
    period: int | None
    ends: bool
    share: float


def find_loops(token_t: Sequence[int] | NDArray[np.integer]) -> Loops:
    """Loops of a text of so many token ids, none of them negative.

    >>> find_loops([7, 8] + [1, 2, 3] * 20 + [4])
    Loops(onset=2, period=3, ends=False, share=0.9523809523809523)
    """
    begin_l, end_l, period_l = _stretches(token_t)
    if not len(begin_l):
        return Loops(None, None, False, 0.0)
    looping_t = covered(begin_l, end_l, len(token_t))
    first = np.lexsort((period_l, begin_l))[0]
    return Loops(
        int(begin_l[first]), int(period_l[first]), bool(looping_t[-1]), float(looping_t.mean())
    )


def looping_tokens(token_t: Sequence[int] | NDArray[np.integer]) -> NDArray[np.bool_]:
    """(tokens,) which tokens of a text are in a loop, whichever.

    >>> looping_tokens([7, 8] + [1, 2, 3] * 20 + [4]).nonzero()[0][[0, -1]]
    array([ 2, 61])
    """
    begin_l, end_l, _ = _stretches(token_t)
    return covered(begin_l, end_l, len(token_t))


def covered(begin_l: NDArray[np.int64], end_l: NDArray[np.int64], tokens: int) -> NDArray[np.bool_]:
    """(tokens,) which tokens are in one of the stretches [begin, end).

    >>> covered(np.array([1, 2]), np.array([3, 4]), 5)
    array([False,  True,  True,  True, False])
    """
    opened_t = np.bincount(begin_l, minlength=tokens + 1)
    closed_t = np.bincount(end_l, minlength=tokens + 1)
    return np.cumsum(opened_t - closed_t)[:-1] > 0


def _stretches(
    token_t: Sequence[int] | NDArray[np.integer],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """(loops,) beginnings, ends and periods of all loops, those at multiples of a period too."""
    token_t = np.asarray(token_t, dtype=np.int64)
    period_k = np.arange(1, min(LONGEST_PERIOD, len(token_t) // FEWEST_COPIES) + 1)
    if len(token_t) < FEWEST_TOKENS:
        return period_k[:0], period_k[:0], period_k[:0]
    # An edge on either side, so that no run of equal tokens goes on from one period to the next.
    same_kt = np.zeros((len(period_k), len(token_t) + 2), dtype=np.int8)
    for row_t, period in zip(same_kt, period_k.tolist(), strict=True):
        np.equal(token_t[period:], token_t[:-period], out=row_t[period + 1 : -1].view(np.bool_))
    step_kt = np.diff(same_kt, axis=1)
    (k_l, first_l), (_, end_l) = np.nonzero(step_kt == 1), np.nonzero(step_kt == -1)
    begin_l = first_l - period_k[k_l]
    long_l = end_l - begin_l >= np.maximum(FEWEST_COPIES * period_k[k_l], FEWEST_TOKENS)
    return begin_l[long_l], end_l[long_l], period_k[k_l[long_l]]


def distinct(token_xt: Sequence[Sequence[int]], n: int) -> float:
    """Distinct n-grams over n-grams, of one text or of several together; NaN if there are none.

    >>> distinct([[1, 2, 1, 2, 1, 2]], 2)
    0.4
    """
    grams: list[bytes] = []
    for token_t in token_xt:
        if len(token_t) >= n:
            windows = sliding_window_view(np.asarray(token_t, dtype=np.int64), n)
            grams += np.ascontiguousarray(windows).view(f"V{8 * n}")[:, 0].tolist()
    return len(set(grams)) / len(grams) if grams else float("nan")


def repetition(tokens: Sequence[int], n: int) -> float:
    """rep-n = 1 − unique n-grams / n-grams (Welleck et al., arXiv 1908.04319); 0 if there is none.

    >>> repetition([1, 2, 1, 2, 1, 2], 2)
    0.6
    """
    return 1 - distinct([tokens], n) if len(tokens) >= n else 0.0
