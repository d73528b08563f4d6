"""Periods that energies find, against those that are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..statistics.curve import Interval
from ..statistics.shares import exact_share, less
from ..tables import interval_columns
from .onset_tables import FOUND_NUMBERS
from .onsets import find_onset

Columns = Mapping[str, NDArray[Any]]
Known = Mapping[int, NDArray[np.integer]]


def describe_written(
    own: Columns, null: Columns, tokens_d: Known, periods: int, confidence: float
) -> dict[str, Any]:
    """In how many loops that a model wrote its most probable tokens have their period.

    Of the states of a loop, from its onset on, the period that closes most with the most probable
    token, the shortest of several, is that of the loop, or a divisor of it. If none closes more
    than half of them, none is found.

    Parameters
    ----------
    own, null : (states,) each: `doc`, `position`, `top`, and `history`, (states, periods).
    tokens_d : tokens of each document, the prefix token first.

    Returns
    -------
    A row of `onset_tables.FOUND`, without model, dataset and layer.
    """
    closed_hsk = [of["history"] == of["top"][:, None] for of in (own, null)]
    found_hd: list[list[bool]] = [[], []]
    doc_d = []
    for doc in np.unique(own["doc"]).tolist():
        onset = find_onset(tokens_d[doc])
        if onset is None or onset.period > periods:
            continue
        next_s = own["position"] + 1  # the token that is to come copies
        in_s = (own["doc"] == doc) & (next_s >= onset.token) & (next_s < onset.end)
        doc_d.append(doc)
        for found_d, closed_sk in zip(found_hd, closed_hsk, strict=True):
            share_k = closed_sk[in_s].mean(axis=0)
            most = int(share_k.argmax())
            found_d.append(bool(share_k[most] > 1 / 2 and onset.period % (most + 1) == 0))
    return {"copies": None} | _row(found_hd, doc_d, confidence)


def describe_repeated(
    own: Columns, null: Columns, periods: int, context: int, confidence: float
) -> list[dict[str, Any]]:
    """In how many documents the rival after n copies of a unit is what one more begins with.

    Documents whose unit is longer than the longest period are left out, and those that a model
    does not see at once with the most copies.

    Parameters
    ----------
    own, null : (states,) each: `doc`, `position`, `copies`, `last`, `correct`, and `history`.
    context : positions that the model sees at once.

    Returns
    -------
    Rows of `onset_tables.FOUND`, one for each number of copies.
    """
    rows = []
    doc_d = np.unique(own["doc"])
    most_d = own["position"][_last_states(own, int(own["copies"].max()), doc_d)]
    unit_d = units(own)
    kept_d = (unit_d <= periods) & (most_d < context)
    doc_d, unit_d = doc_d[kept_d], unit_d[kept_d]
    for copies in np.unique(own["copies"]).tolist():
        last_d = _last_states(own, copies, doc_d)
        found_hd = []
        for of in (own, null):
            rival_d = of["last"][last_d]
            is_one_d = rival_d != of["correct"][last_d]
            found_hd.append(is_one_d & (of["history"][last_d, unit_d - 1] == rival_d))
        rows.append({"copies": copies} | _row(found_hd, doc_d, confidence))
    return rows


def units(own: Columns) -> NDArray[np.int64]:
    """(documents,) tokens of the unit of each, off its lengths with the fewest and most copies."""
    fewest, most = int(own["copies"].min()), int(own["copies"].max())
    doc_d = np.unique(own["doc"])
    short_d, long_d = (own["position"][_last_states(own, n, doc_d)] for n in (fewest, most))
    unit_d: NDArray[np.int64] = (long_d - short_d) // max(most - fewest, 1)
    return unit_d


def _last_states(of: Columns, copies: int, doc_d: NDArray[np.integer]) -> NDArray[np.int64]:
    """(documents,) row of the last state of each with so many copies."""
    (row,) = np.nonzero(of["copies"] == copies)
    order = row[np.lexsort((of["position"][row], of["doc"][row]))]
    last: NDArray[np.int64] = np.searchsorted(of["doc"][order], doc_d, side="right") - 1
    return order[last]


def _row(found_hd: Any, doc_d: Any, confidence: float) -> dict[str, Any]:
    """Shares of documents, with the own history and with another place's, and the difference."""
    documents = len(doc_d)
    if documents:
        found, null = (exact_share(int(np.sum(of)), documents, confidence) for of in found_hd)
        numbers = {"found": found, "null": null, "beyond": less(found, null)}
    else:
        numbers = dict.fromkeys(FOUND_NUMBERS, Interval(np.nan, np.nan, np.nan))
    return {"documents": documents} | interval_columns(numbers)
