"""Sums of measures of attention over the states of each document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .tables import STUDIED


def sum_documents(column: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Sums over the states of each document where a measure is no NaN, and how many these are.

    Parameters
    ----------
    column : (states,) each: `doc`, and the measures `STUDIED`.

    Returns
    -------
    (documents,) each, the columns of `tables.SUMS` but the layer; documents ascending.
    """
    doc_d, doc_s = np.unique(column["doc"], return_inverse=True)
    sums: dict[str, NDArray[Any]] = {"doc": doc_d}
    for measure in STUDIED:
        value_s = column[measure].astype(np.float64)
        there_s = ~np.isnan(value_s)
        sums[measure] = np.bincount(doc_s, np.where(there_s, value_s, 0.0), len(doc_d))
        sums[f"{measure}_states"] = np.bincount(doc_s[there_s], minlength=len(doc_d))
    return sums
