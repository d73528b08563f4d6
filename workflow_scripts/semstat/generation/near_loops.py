"""Loops whose copies differ a little: counters, names that change, words replaced.

One changed token ends a loop as loops.py has it. A near-loop is a window of three periods and at
least 48 tokens, at a period of 1 to 128 tokens, in which all but the first period is compared with
the tokens a period before, and in which

- at least 85% of what is compared is equal, or, at periods of 4 to 6, all but one token of each
  copy: a counter changes that one. At periods up to 3 it would be a list, "a, b, c";
- the first and the last that are compared are equal, and so are two of the first three and two of
  the last three. Otherwise a window would reach over the edge by what it may leave unequal.

A loop is a near-loop: all of its windows are. It is a Hamming distance: one token put in or left
out makes a whole period unequal, so that copies that change in length ("9", "10") are found only
where three go on without.

Six copies of a unit of 7 to 60 tokens, written into English documents, were found in 98% of cases
where 5% of the tokens were changed, each copy by itself, in 74% where 10% were, in 33% where 15%
were; where a token was put in or left out in 1% of places, in 79%, in 5% of places, in 17%, hardly
more often than as exact loops. Of 2,273 stretches of 1,024 tokens of State of the Union addresses
none is in a near-loop, shuffled or not. Texts of tokens drawn independently are, once two tokens
are equal with a probability above 0.55: near-loops then say no more than that few tokens are used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from .loops import FEWEST_COPIES, FEWEST_TOKENS, LONGEST_PERIOD, Loops, covered

SHARE = 0.85
SHORTEST_COUNTER = 4

PERIOD_K = np.arange(1, LONGEST_PERIOD + 1)
COMPARED_K = np.maximum((FEWEST_COPIES - 1) * PERIOD_K, FEWEST_TOKENS - PERIOD_K)
"""(periods,) tokens of a window that are compared with those a period before."""

_LARGEST_SHARE_K = np.where(PERIOD_K < SHORTEST_COUNTER, 1.0, 1 - 1 / PERIOD_K)
EQUAL_K = np.ceil(np.minimum(SHARE, _LARGEST_SHARE_K) * COMPARED_K - 1e-9).astype(np.int64)
"""(periods,) the fewest of them that are equal."""


class Windows(NamedTuple):
    """The windows of a text in which it repeats itself.

    token_t : (tokens,) the text.
    period_w : (windows,) their periods, ascending.
    begin_w : (windows,) the first token of each that is compared, a period after the window begins.
    exact : whether all that is compared is equal.
    """

    token_t: NDArray[np.int64]
    period_w: NDArray[np.int64]
    begin_w: NDArray[np.int64]
    exact: bool

    @property
    def end_w(self) -> NDArray[np.int64]:
        """(windows,) the token after each."""
        return self.begin_w + COMPARED_K[self.period_w - 1]

    def within(self, tokens: int) -> Self:
        """The windows of the first so many tokens."""
        inside_w = self.end_w <= tokens
        return self._replace(
            token_t=self.token_t[:tokens],
            period_w=self.period_w[inside_w],
            begin_w=self.begin_w[inside_w],
        )

    def looping(self) -> NDArray[np.bool_]:
        """(tokens,) which tokens are in a window, and so in a near-loop."""
        return covered(self.begin_w - self.period_w, self.end_w, len(self.token_t))

    def copied(self) -> NDArray[np.bool_]:
        """(tokens,) which of them are compared: not what is written for the first time."""
        return covered(self.begin_w, self.end_w, len(self.token_t))

    def loops(self) -> Loops:
        """Onset and period of the first near-loop, and how much is in one.

        Its period is that at which most of its tokens are equal, the smallest of several: by a
        change near the onset, a multiple of the period may begin first.
        """
        looping_t = self.looping()
        if not looping_t.any():
            return Loops(None, None, False, 0.0)
        onset = int(looping_t.argmax())
        first_t = self.token_t[onset:][: np.append(~looping_t[onset:], True).argmax()]
        begins_w = self.begin_w - self.period_w < onset + len(first_t)
        period_p = np.unique(self.period_w[begins_w])
        equal_p = [int((first_t[p:] == first_t[:-p]).sum()) for p in period_p.tolist()]
        return Loops(
            onset,
            int(period_p[np.argmax(equal_p)]),
            bool(looping_t[-1]),
            float(looping_t.mean()),
        )


def find_windows(token_t: Sequence[int] | NDArray[np.integer], exact: bool = False) -> Windows:
    """Windows in which a text repeats itself, nearly or exactly.

    Those of its first tokens need no second search: `find_windows(token_t).within(128)`.

    >>> counter = [token for i in range(9) for token in (1, 2, 100 + i, 3, 4, 5, 6)]
    >>> find_windows([7, 8, *counter, 9]).loops()
    Loops(onset=2, period=7, ends=False, share=0.9545454545454546)
    >>> find_windows([7, 8, *counter, 9], exact=True).loops().onset
    """
    text_t: NDArray[np.int64] = np.asarray(token_t, dtype=np.int64)
    longest = longest_period(len(text_t))
    needed_k = COMPARED_K if exact else EQUAL_K
    begins = [
        period + _begins(text_t[period:] == text_t[:-period], compared, needed)
        for period, compared, needed in zip(
            range(1, longest + 1), COMPARED_K.tolist(), needed_k.tolist(), strict=False
        )
    ]
    period_w = np.repeat(PERIOD_K[:longest], [len(begin_w) for begin_w in begins])
    return Windows(text_t, period_w, np.concatenate([PERIOD_K[:0], *begins]), exact)


def longest_period(tokens: int) -> int:
    """The longest period of which a text of so many tokens can show a window; 0 if of none."""
    return min(LONGEST_PERIOD, tokens // FEWEST_COPIES) if tokens >= FEWEST_TOKENS else 0


def _begins(same_t: NDArray[np.bool_], compared: int, needed: int) -> NDArray[np.int64]:
    """(windows,) where windows of so many comparisons begin that have as many equal as needed."""
    before_t = np.append(0, np.cumsum(same_t))
    if before_t[-1] < needed:
        return np.empty(0, dtype=np.int64)
    begin_w: NDArray[np.int64] = np.nonzero(before_t[compared:] - before_t[:-compared] >= needed)[0]
    end_w = begin_w + compared
    first_w = same_t[begin_w] & (before_t[begin_w + 3] - before_t[begin_w] >= 2)
    last_w = same_t[end_w - 1] & (before_t[end_w] - before_t[end_w - 3] >= 2)
    sharp_w: NDArray[np.int64] = begin_w[first_w & last_w]
    return sharp_w
