"""What states are like where a text repeats itself, by how many copies of it there have been.

A run of one token is said to take the first token's norm, and attention like a sink's
(arXiv:2503.08908). So states are told apart by what their last token is: the k-th copy of
a token in a row, of a phrase's k-th copy, or neither; their norms are relative to the first one's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..statistics.curve import Interval
from ..statistics.several import Number
from ..tables import interval_columns
from ..tokens.repetitions import find_runs
from .tables import NOWHERE, OF_PHRASE, OF_TOKEN, PLACED

Columns = Mapping[str, NDArray[Any]]

FEWEST_COPIES = {OF_TOKEN: 2, OF_PHRASE: 3}
"""Copies of a run that is told apart; two copies of a phrase are nothing special."""

CLASSES = np.array([1, 2, 3, 4, 8, 16, 32, 64])
"""Least copies of each class."""


def copies_so_far(token_t: NDArray[np.integer]) -> dict[str, NDArray[np.int64]]:
    """Of each token of a text, the how many-th copy of a token, or of a phrase, it is in.

    >>> {name: copy_t.tolist() for name, copy_t in copies_so_far(np.array([7, 7, 7, 1, 2])).items()}
    {'token': [1, 2, 3, 0, 0], 'phrase': [0, 0, 0, 0, 0]}
    >>> copies_so_far(np.array([5, 1, 2, 1, 2, 1, 2, 1]))["phrase"].tolist()
    [0, 1, 1, 2, 2, 3, 3, 4]

    Returns
    -------
    (tokens,) by kind; 0 where it is in none. Of several phrases the shortest counts, and of these
    the first.
    """
    runs = find_runs(token_t)
    found = {kind: np.zeros(len(token_t), dtype=np.int64) for kind in FEWEST_COPIES}
    for i in np.lexsort((-runs.begin_l, -runs.period_l)):  # the one that counts comes last
        begin, end, period = int(runs.begin_l[i]), int(runs.end_l[i]), int(runs.period_l[i])
        kind = OF_TOKEN if period == 1 else OF_PHRASE
        if runs.copies_l[i] >= FEWEST_COPIES[kind]:
            found[kind][begin:end] = np.arange(end - begin) // period + 1
    return found


def describe_places(column: Columns, confidence: float) -> list[dict[str, Any]]:
    """Mean measures of a layer's states by place, and how far they are from others' there.

    Parameters
    ----------
    column : (states,) each: `doc`, `position`, `PLACED`, NaN where there is none, and copies so far
        of `OF_TOKEN` and `OF_PHRASE`, see `copies_so_far`, that the last token is in.

    Returns
    -------
    Rows of `tables.PLACES`, without model, dataset and layer.
    """
    place_s, copies_s = _places(column)
    doc_d, doc_s = np.unique(column["doc"], return_inverse=True)
    rows = []
    for measure in PLACED:
        value_s = column[measure].astype(np.float64)
        beyond_s = value_s - _elsewhere(value_s, column["position"], place_s == NOWHERE)
        for place, copies in sorted({*zip(place_s.tolist(), copies_s.tolist(), strict=True)}):
            here_s = (place_s == place) & (copies_s == copies) & ~np.isnan(value_s)
            if not here_s.any():
                continue
            head = {"measure": measure, "place": place, "copies": copies or None}
            head |= {"states": int(here_s.sum()), "documents": len(np.unique(doc_s[here_s]))}
            for name, number_s in (("value", value_s), ("beyond", beyond_s)):
                there_s = here_s & ~np.isnan(number_s)
                mean = _mean(number_s[there_s], doc_s[there_s], doc_d, confidence)
                head |= interval_columns({name: mean})
            rows.append(head)
    return rows


def _places(column: Columns) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    """(states,) the place of each, and the class of copies that it is in, 0 of none."""
    place_s = np.full(len(column["doc"]), NOWHERE, dtype=f"U{len(NOWHERE)}")
    copies_s = np.zeros(len(column["doc"]), dtype=np.int64)
    for kind in (OF_PHRASE, OF_TOKEN):
        inside_s = column[kind] > 0
        place_s[inside_s] = kind
        copies_s[inside_s] = CLASSES[
            np.searchsorted(CLASSES, column[kind][inside_s], side="right") - 1
        ]
    return place_s, copies_s


def _elsewhere(
    value_s: NDArray[np.float64], position_s: NDArray[np.integer], nowhere_s: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """(states,) the mean of states that are in no run, at the same position; NaN without any."""
    chosen_s = nowhere_s & ~np.isnan(value_s)
    most = int(position_s.max(initial=0)) + 1
    count_t = np.bincount(position_s[chosen_s], minlength=most)
    sum_t = np.bincount(position_s[chosen_s], value_s[chosen_s], most)
    mean_t = np.divide(sum_t, count_t, out=np.full(most, np.nan), where=count_t > 0)
    mean_s: NDArray[np.float64] = mean_t[position_s]
    return mean_s


def _mean(
    value_s: NDArray[np.float64],
    doc_s: NDArray[np.int64],
    doc_d: NDArray[np.int64],
    confidence: float,
) -> Interval[float]:
    """Mean over states, with its interval over documents."""
    count_d = np.bincount(doc_s, minlength=len(doc_d)).astype(np.float64)
    sum_d = np.bincount(doc_s, value_s, len(doc_d)).astype(np.float64)
    return Number.per(sum_d, count_d, doc_d).interval(confidence)
