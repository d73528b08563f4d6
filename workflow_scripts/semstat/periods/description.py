"""How often a model would rather close a loop, by its period, beside a null."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..statistics.several import Number
from ..tables import interval_columns
from .rivals import period_of

Columns = Mapping[str, NDArray[Any]]


def describe_periods(
    own: Columns, null: Columns, longest_period: int, confidence: float
) -> list[dict[str, Any]]:
    """Shares of states of one layer that would rather close a loop.

    Parameters
    ----------
    own, null : (states,) each, of the same states in one order: `doc`, `energy`, `last`, the rival,
        and `history`, (states, periods), the tokens that it was chosen from.

    Returns
    -------
    Rows of `tables.PERIODS`, without model, dataset and layer.
    """
    doc_d, doc_s = np.unique(own["doc"], return_inverse=True)
    states_d = np.bincount(doc_s).astype(np.float64)
    period_os = [
        np.where(of["energy"] < 0, period_of(of["last"], of["history"]), 0) for of in (own, null)
    ]
    rows = []
    for period in (None, *range(1, longest_period + 1)):
        numbers = []
        for period_s in period_os:
            here_s = period_s > 0 if period is None else period_s == period
            sum_d = np.bincount(doc_s, here_s, len(doc_d)).astype(np.float64)
            numbers.append(Number.per(sum_d, states_d, doc_d))
        share, other = numbers
        head = {"period": period, "states": len(doc_s), "documents": len(doc_d)}
        for name, number in (("share", share), ("null", other), ("beyond", share.less(1, other))):
            head |= interval_columns({name: number.interval(confidence)})
        rows.append(head)
    return rows
