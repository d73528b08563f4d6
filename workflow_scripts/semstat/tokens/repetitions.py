"""How much a corpus of tokens repeats itself: n-grams seen before, equal neighbours, and runs.

A run is what combinatorics calls one (Kolpakov & Kucherov, Proc. FOCS 1999, 596,
doi:10.1109/SFFCS.1999.814634): a stretch of a text that has a period k, x_t = x_{t−k}, at least
two copies of it, and no shorter period, and that would not have it if it were longer. Periods here
are at most 64 tokens. So "a a" and "a b a b" are runs of 2 copies, and "a b a b a" is one of 2½.

rep-n grows with the length of a text, so it is that of windows of one length.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..generation.loops import covered, repetition
from ..statistics.block_errors import ErrorBars
from ..statistics.blocks import Blocks
from ..statistics.curve import Interval
from ..tables import interval_columns

LONGEST_PERIOD = 64

ORDERS = (1, 2, 3, 4)
"""n of rep-n."""

Array = NDArray[np.float64]


class Runs(NamedTuple):
    """The runs of a text, by period and then by place.

    begin_l, end_l : (runs,) the first token of each and the one after it.
    period_l : (runs,) its shortest period.
    """

    begin_l: NDArray[np.int64]
    end_l: NDArray[np.int64]
    period_l: NDArray[np.int64]

    @property
    def copies_l(self) -> Array:
        """(runs,) how often the period goes into it, at least 2."""
        copies_l: Array = (self.end_l - self.begin_l) / self.period_l
        return copies_l


def find_runs(token_t: NDArray[np.integer], longest_period: int = LONGEST_PERIOD) -> Runs:
    """All runs of a text, of periods up to one.

    >>> find_runs(np.array([7, 1, 2, 1, 2, 1, 3, 3, 3]))
    Runs(begin_l=array([6, 1]), end_l=array([9, 6]), period_l=array([1, 2]))
    """
    found: dict[tuple[int, int], int] = {}
    for period in range(1, min(longest_period, len(token_t) // 2) + 1):
        # An edge on either side.
        same_t = np.zeros(len(token_t) - period + 2, dtype=np.int8)
        same_t[1:-1] = token_t[period:] == token_t[:-period]
        step_t = np.diff(same_t)
        begin_l, end_l = np.flatnonzero(step_t == 1), np.flatnonzero(step_t == -1) + period
        long_l = end_l - begin_l >= 2 * period
        for place in zip(begin_l[long_l].tolist(), end_l[long_l].tolist(), strict=True):
            # One of a shorter period has its multiples too, and no other periods (Fine and Wilf).
            found.setdefault(place, period)
    place_l2 = np.array([*found], dtype=np.int64).reshape(-1, 2)
    return Runs(place_l2[:, 0], place_l2[:, 1], np.array([*found.values()], dtype=np.int64))


def in_runs(token_t: NDArray[np.integer]) -> NDArray[np.bool_]:
    """(tokens,) which tokens of a text are in a run, whichever.

    >>> in_runs(np.array([7, 1, 2, 1, 2, 5])).tolist()
    [False, True, True, True, True, False]
    """
    runs = find_runs(token_t)
    return covered(runs.begin_l, runs.end_l, len(token_t))


class Sums(NamedTuple):
    """What the documents of a corpus repeat, the prefix token of each aside.

    tokens_d, windows_d, runs_d : (documents,) how many there are.
    rep_dn : (documents, orders) Σ over windows of rep-n.
    repeated_d : (documents,) tokens that are the same as the one before.
    in_runs_d : (documents,) tokens in runs.
    copies_d : (documents,) Σ over runs of their copies.
    longest_run : copies of the longest run; 0 if there is none.
    distinct_tokens : of all documents together.
    """

    tokens_d: Array
    windows_d: Array
    runs_d: Array
    rep_dn: Array
    repeated_d: Array
    in_runs_d: Array
    copies_d: Array
    longest_run: float
    distinct_tokens: int


def sum_repetitions(documents: Iterable[NDArray[np.integer]], window: int) -> Sums:
    """Sums over the documents of a corpus.

    Parameters
    ----------
    documents : (tokens,) of each, the prefix token first.
    window : tokens of a window; those of a document lie side by side, and what is left at its end
        is in none.
    """
    rows, rep, longest = [], [], 0.0
    distinct: set[int] = set()
    for tokens_t in documents:
        text_t = tokens_t[1:]
        distinct.update(np.unique(text_t).tolist())
        windows = [
            text_t[first : first + window].tolist()
            for first in range(0, len(text_t) - window + 1, window)
        ]
        rep.append([sum(repetition(tokens, n) for tokens in windows) for n in ORDERS])
        runs = find_runs(text_t)
        in_runs_t = covered(runs.begin_l, runs.end_l, len(text_t))
        longest = max(longest, runs.copies_l.max(initial=0.0))
        rows.append(
            (
                *(len(text_t), len(windows), len(runs.period_l)),
                *(np.sum(text_t[1:] == text_t[:-1]), in_runs_t.sum(), runs.copies_l.sum()),
            )
        )
    number_zd = np.array(rows, dtype=np.float64).reshape(-1, 6).T
    tokens_d, windows_d, runs_d, repeated_d, in_runs_d, copies_d = number_zd
    return Sums(
        tokens_d=tokens_d,
        windows_d=windows_d,
        runs_d=runs_d,
        rep_dn=np.array(rep, dtype=np.float64).reshape(-1, len(ORDERS)),
        repeated_d=repeated_d,
        in_runs_d=in_runs_d,
        copies_d=copies_d,
        longest_run=longest,
        distinct_tokens=len(distinct),
    )


def describe_corpus(sums: Sums, confidence: float) -> dict[str, float]:
    """What a corpus repeats, with Student intervals over documents, which are independent.

    Returns
    -------
    windows, documents, tokens, distinct_tokens, runs : how many there are.
    longest_run : copies of the longest run; NaN without any.

    and with value, and bounds `_low` and `_high`, which are NaN where fewer than two documents have
    such, or all are the same:

    rep_1 … rep_4 : mean of rep-n over windows, NaN without any.
    repeated_share : share of tokens, each document's first aside, that are the same as the one
        before.
    runs_share : share of tokens in runs, whichever.
    mean_run : mean copies of a run, NaN without any.

    Raises
    ------
    ValueError
        If there are fewer than two documents.
    """
    if len(sums.tokens_d) < 2:
        raise ValueError("an interval over documents needs at least two")
    rep = {
        f"rep_{n}": _mean(sum_d, sums.windows_d, confidence)
        for n, sum_d in zip(ORDERS, sums.rep_dn.T, strict=True)
    }
    shares = rep | {
        "repeated_share": _mean(sums.repeated_d, sums.tokens_d - 1, confidence),
        "runs_share": _mean(sums.in_runs_d, sums.tokens_d, confidence),
    }
    numbers = {name: Interval(*np.clip(part, 0.0, 1.0).tolist()) for name, part in shares.items()}
    mean_run = _mean(sums.copies_d, sums.runs_d, confidence)
    numbers["mean_run"] = mean_run._replace(low=max(mean_run.low, 2.0))  # a NaN stays one
    return {
        "windows": int(sums.windows_d.sum()),
        "documents": len(sums.tokens_d),
        "tokens": int(sums.tokens_d.sum()),
        "distinct_tokens": sums.distinct_tokens,
        "runs": int(sums.runs_d.sum()),
        "longest_run": sums.longest_run or float("nan"),
    } | interval_columns(numbers)


def _mean(sum_d: Array, count_d: Array, confidence: float) -> Interval[float]:
    """Sums over so many things, by document, divided by how many there are."""
    nan = float("nan")
    has_d = count_d > 0
    if not has_d.any():
        return Interval(nan, nan, nan)
    value = float(sum_d[has_d].sum() / count_d[has_d].sum())
    if has_d.sum() < 2:
        return Interval(value, nan, nan)
    documents = Blocks.of_documents(count_d[has_d])
    estimate = documents.per_state(sum_d[has_d][:, None])
    if not estimate.deviation_e[0] > 1e-12 * max(value, 1.0):
        return Interval(value, nan, nan)
    bars = ErrorBars.pointwise(documents.freedom, confidence)
    return bars(estimate).intervals(["mean"])["mean"]
