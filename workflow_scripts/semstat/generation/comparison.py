"""Whether texts are better than those of a constant sampling temperature of the same entropy.

All conditions continue the same prompts, so they are compared prompt by prompt: each with a line
through the constants of that prompt, at the entropy that the condition has there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..tables import interval_columns
from .extrapolation import mean_over_prompts
from .tables import ALIKE, ALONE, COMPARED_NUMBERS, CONSTANT

Array = NDArray[np.float64]

Rows = Sequence[Mapping[str, Any]]


def compare(rows: Rows, confidence: float) -> list[dict[str, Any]]:
    """Differences of each condition from constants of the same entropy, on average over prompts.

    Parameters
    ----------
    rows : of conditions tables, those of single prompts at least.
    confidence : of Student's intervals, over prompts.

    Returns
    -------
    Rows, for each condition that is not constant and each of `ALIKE` as `against`:
    `documents`, prompts at which there are constants of lower and of higher entropy; and with
    value, `_low` and `_high` over these the mean difference of the numbers of a conditions table,
    with surprisal for ln perplexity, nats.

    Raises
    ------
    InputError
        If there are fewer than two constants.
    """
    by_condition: dict[str, dict[str, Mapping[str, Any]]] = {}
    methods = {}
    for row in rows:
        if row["prompts"].startswith(ALONE):
            by_condition.setdefault(row["condition"], {})[row["prompts"]] = row
            methods[row["condition"]] = row["method"]
    constants = [of for name, of in by_condition.items() if methods[name] == CONSTANT]
    if len(constants) < 2:
        raise InputError(
            f"generation: {len(constants)} constant sampling temperatures make no line to compare "
            f"with; add conditions of the method `constant`, at least 2 in all"
        )
    compared = []
    for name, method in methods.items():
        for against in ALIKE if method != CONSTANT else ():
            off_dz = np.array(
                [
                    _difference(row, [of[doc] for of in constants if doc in of], against)
                    for doc, row in by_condition[name].items()
                ]
            )
            means = mean_over_prompts(off_dz, confidence)
            head = {"condition": name, "method": method, "against": against}
            head["documents"] = int((~np.isnan(off_dz)).any(axis=1).sum())
            each = dict(zip(COMPARED_NUMBERS, np.column_stack(means).tolist(), strict=True))
            compared.append(head | interval_columns(each))
    return compared


def _difference(row: Mapping[str, Any], constants: Rows, against: str) -> Array:
    """(numbers,) of one prompt; NaN where its entropy is not between those of two constants."""
    if len(constants) < 2:
        return np.full(len(COMPARED_NUMBERS), np.nan)
    x_q = np.array([constant[against] for constant in constants], dtype=np.float64)
    order_q = np.argsort(x_q)
    number_qz = np.array([_numbers(constants[q]) for q in order_q.tolist()])
    line_z = [
        np.interp(row[against], x_q[order_q], number_q, left=np.nan, right=np.nan)
        for number_q in number_qz.T
    ]
    difference_z: Array = _numbers(row) - np.array(line_z)
    return difference_z


def _numbers(row: Mapping[str, Any]) -> Array:
    """(numbers,) on the scale that they are compared on."""
    scaled = {**row, "surprisal": np.log(row["perplexity"])}
    return np.array([scaled[name] for name in COMPARED_NUMBERS], dtype=np.float64)
