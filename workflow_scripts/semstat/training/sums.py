"""Sums over the states of each document, of all and of those in runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bigrams import Bigrams
from .tables import IN_RUNS, SUMMED

NEEDED = ("doc", "position", "last", "correct", "log_p_correct", "energy")
"""Columns of energies that are summed."""


def sum_documents(
    energies: Mapping[str, NDArray[Any]],
    in_runs: Mapping[int, NDArray[np.bool_]],
    bigrams: Bigrams | None = None,
) -> dict[str, NDArray[Any]]:
    """Sums over the states of each document.

    Parameters
    ----------
    energies : (states,) each, the columns `NEEDED` of an energies table.
    in_runs : by document, (tokens + 1,) whether a token lies in a run; the prefix token is first.
    bigrams : the yardstick of surprisal; without it sums of that are NaN.

    Returns
    -------
    (documents,) each, the columns of `tables.SUMS` but the layer; documents ascending.

    Raises
    ------
    ValueError
        If there are energies of a document that is not given.
    """
    doc_d, first_d, doc_s = np.unique(energies["doc"], return_index=True, return_inverse=True)
    if missing := set(doc_d.tolist()) - in_runs.keys():
        raise ValueError(f"has energies of document {min(missing)}, whose tokens are not given")
    # The correct token of a state is the one after its last token.
    begin_d = np.cumsum([0, *(len(in_runs[doc]) for doc in doc_d.tolist())])[:-1]
    of_token_t = np.concatenate([in_runs[doc] for doc in doc_d.tolist()])
    run_s = of_token_t[begin_d[doc_s] + energies["position"] + 1]
    number_sz: dict[str, NDArray[Any]] = {
        "states": np.ones(len(doc_s)),
        "surprisal": -energies["log_p_correct"].astype(np.float64),
        "energy": energies["energy"].astype(np.float64),
        "below_zero": energies["energy"] < 0,
        "bigrams": np.full(len(doc_s), np.nan),
    }
    if bigrams:
        number_sz["bigrams"] = bigrams.surprisal(energies["last"], energies["correct"])
    sums: dict[str, NDArray[Any]] = {"doc": doc_d}
    for part, weight_s in (("", np.ones(len(doc_s))), (IN_RUNS, run_s)):
        for name in SUMMED:
            sums[part + name] = np.bincount(doc_s, number_sz[name] * weight_s, len(first_d))
    return sums
