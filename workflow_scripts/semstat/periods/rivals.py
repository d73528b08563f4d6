"""Which tokens would close a loop: the last ones that a model has read, or a null's.

H_k = p(correct) − p(x_{t+1−k}) tells whether the model would rather close a loop of period k, of
which H = H_1 is the shortest. The loop energy is the least of them over k ≤ K whose token is not
the correct one. The least of K numbers is low by chance: the more tokens are looked at, the
likelier is one of them. Its null looks at as many, those of another place of the same window.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ..models.windows import Window

NONE = -1
"""Where there is no token."""


def recent_tokens(windows: Sequence[Window], longest_period: int) -> NDArray[np.int64]:
    """Tokens that would close a loop, of each scored state of windows, one after the other.

    >>> window = Window(doc=0, start=0, tokens_t=np.array([0, 5, 6, 7, 8]), first=1)
    >>> recent_tokens([window], 3).tolist()
    [[5, -1, -1], [6, 5, -1], [7, 6, 5]]

    Returns
    -------
    (states, periods) x_{t+1−k} for k = 1 … `longest_period`; `NONE` where the window has none, or
    the document's prefix token.
    """
    return np.concatenate([_history(window, longest_period)[window.first :] for window in windows])


def tokens_elsewhere(
    windows: Sequence[Window], longest_period: int, seed: int
) -> NDArray[np.int64]:
    """The same of another place: each state has the history of one a random distance further on.

    The distance is one for all states of a window, which goes round it; it is more than the longest
    period where the window is long enough. Histories are those with the most tokens; where a state
    has fewer, as many of the oldest are left out. Random numbers depend on the seed, the document
    and the window's start only.
    """
    found = []
    for window in windows:
        history_tk = _history(window, longest_period)
        tokens_t = (history_tk != NONE).sum(axis=1)
        (full_f,) = np.nonzero(tokens_t == tokens_t.max())
        rng = np.random.default_rng([seed, window.doc, window.start])
        least = min(longest_period, len(full_f) // 2)
        distance = rng.integers(least, max(least, len(full_f) - least) + 1)
        position_s = np.arange(window.first, window.positions)
        other_sk = history_tk[full_f[(position_s - full_f[0] + distance) % len(full_f)]]
        found.append(np.where(history_tk[window.first :] == NONE, NONE, other_sk))
    return np.concatenate(found)


def period_of(rival_s: NDArray[np.integer], recent_sk: NDArray[np.integer]) -> NDArray[np.int64]:
    """(states,) the least k whose token is the rival; 0 of one that is none of them.

    >>> period_of(np.array([6, 9]), np.array([[5, 6], [5, 6]])).tolist()
    [2, 0]
    """
    same_sk = recent_sk == rival_s[:, None]
    return np.where(same_sk.any(axis=1), same_sk.argmax(axis=1) + 1, 0)


def _history(window: Window, longest_period: int) -> NDArray[np.int64]:
    """(positions, periods) the tokens up to each position, the last one first."""
    token_t = window.tokens_t[:-1].astype(np.int64)
    if window.start == 0:
        token_t[0] = NONE
    before = np.full(longest_period - 1, NONE)
    history_tk: NDArray[np.int64] = sliding_window_view(
        np.concatenate([before, token_t]), longest_period
    )[:, ::-1]
    return history_tk
