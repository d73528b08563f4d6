"""How often a text enters a loop, and leaves it, a token.

The rate of entering is that of loops that last until they are one: what is left sooner is not seen,
and its tokens count as outside. On a chain that enters at rate a and leaves at rate b, with periods
to 16 (to 128 in brackets), it is therefore a · mean (1 − b)^(n − 1), n = max(2k, 48 − k), less 0%
[0%] where a = b = 0.001, 1% [5%] at 0.003, 6% [23%] at 0.01, 25% [39%] at 0.03; the rate of leaving
is b. Of periods that fit, texts of 128 to 1,024 tokens give the same within their errors. To
correct for what is not seen one would have to know that a first copy is left as readily as a third,
which of language models is not so.

Of near-loops, whose changes may break them, the rate of leaving is too high by what they break:
with 7% of the tokens changed, by 0.0001 a token.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ..generation.loops import LONGEST_PERIOD
from ..generation.near_loops import COMPARED_K, EQUAL_K, PERIOD_K, Windows, longest_period


class Crossings(NamedTuple):
    """Loops entered and left, and the tokens at which it could have been seen.

    A text enters where it begins to copy, at the first token that repeats the one a period before,
    and leaves at the first that does not. What is entered shows itself in the second and third
    copy only: a loop of period k that begins at token t needs k tokens before t and
    max(2k, 48 − k) from t on. So each period has its own exposure, the tokens outside at which a
    loop of this period could begin and be seen; the rates of periods add (competing risks). A
    token inside counts from where the loop is one: before, it could not have been left and seen
    (immortal time).

    entered_k : (periods,) loops by period, 1 to 128.
    outside_k : (periods,) tokens that follow one outside, and the loop entered there would be seen.
    left : loops that ended.
    inside : tokens that follow one inside, once it is known to be.
    """

    entered_k: NDArray[np.int64]
    outside_k: NDArray[np.int64]
    left: int
    inside: int

    @classmethod
    def total(cls, texts: Iterable[Self]) -> Self:
        """Of several texts together, at least one."""
        return cls(*(sum(parts[1:], parts[0]) for parts in zip(*texts, strict=True)))

    def entering(self, longest: int = LONGEST_PERIOD) -> float:
        """Loops entered a token outside, of periods up to the longest; NaN without exposure.

        Texts of L tokens know of periods up to L/3 only, and of those near it little: to compare
        lengths, take the longest period that the shortest texts have.
        """
        periods = slice(0, longest)
        return float(entering_rate(self.entered_k[periods], self.outside_k[periods]))

    def leaving(self) -> float:
        """Loops left a token inside; NaN without exposure."""
        return self.left / self.inside if self.inside else float("nan")


def entering_rate(
    entered_k: NDArray[np.integer | np.floating], outside_k: NDArray[np.integer | np.floating]
) -> NDArray[np.float64]:
    """Loops entered a token outside, summed over periods, the last axis; NaN without exposure."""
    exposed_k = outside_k > 0
    rate_k = np.divide(entered_k, outside_k, out=np.zeros(exposed_k.shape), where=exposed_k)
    return np.where(exposed_k.any(axis=-1), rate_k.sum(axis=-1), np.nan)


def count_crossings(windows: Windows) -> Crossings:
    """Crossings of one text, into loops or near-loops, whichever the windows are of.

    >>> from ..generation.near_loops import find_windows
    >>> text = [*range(100, 140), *[1, 2, 3] * 20, *range(200, 240)]
    >>> found = count_crossings(find_windows(text, exact=True))
    >>> found.entered_k.nonzero()[0] + 1, found.left, found.inside
    (array([3]), 1, 13)
    """
    tokens = len(windows.token_t)
    copied_t = windows.copied().astype(np.int8)
    step_t = np.diff(copied_t, prepend=0, append=0)
    begin_l, end_l = np.nonzero(step_t == 1)[0], np.nonzero(step_t == -1)[0]
    period_l = _first_seen(windows, begin_l)
    known_l = begin_l + COMPARED_K[period_l - 1]
    # In the last tokens a near-loop that goes on and one that has been left look alike.
    horizon = tokens - (0 if windows.exact else _bridged(tokens))
    return Crossings(
        entered_k=np.bincount(period_l - 1, minlength=LONGEST_PERIOD),
        outside_k=_exposure(copied_t),
        left=int((end_l < horizon).sum()),
        inside=int(np.maximum(np.minimum(end_l + 1, horizon) - known_l, 0).sum()),
    )


def _first_seen(windows: Windows, begin_l: NDArray[np.int64]) -> NDArray[np.int64]:
    """(loops,) the period at which each shows itself first, the smallest of equals."""
    at_begin_w = np.isin(windows.begin_w, begin_l)
    period_w, begin_w = windows.period_w[at_begin_w], windows.begin_w[at_begin_w]
    order_w = np.lexsort((period_w, COMPARED_K[period_w - 1], begin_w))
    _, first_l = np.unique(begin_w[order_w], return_index=True)
    return period_w[order_w][first_l]


def _exposure(copied_t: NDArray[np.int8]) -> NDArray[np.int64]:
    """(periods,) tokens after one outside, and a loop of the period fits around them."""
    after_t = np.append(0, copied_t[:-1]) if len(copied_t) else copied_t
    before_t = np.append(0, np.cumsum(after_t == 0))
    last_k = len(copied_t) - COMPARED_K + 1
    fits_k = last_k > PERIOD_K
    return np.where(
        fits_k, before_t[np.where(fits_k, last_k, 0)] - before_t[np.where(fits_k, PERIOD_K, 0)], 0
    )


def _bridged(tokens: int) -> int:
    """Unequal tokens that a near-loop of a text of so many tokens can go on after."""
    unequal_k = (COMPARED_K - EQUAL_K)[: longest_period(tokens)]
    return int(unequal_k.max(initial=0))
