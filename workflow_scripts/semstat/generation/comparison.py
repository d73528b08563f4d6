"""Whether texts are better than those of a constant sampling temperature of the same entropy.

All conditions continue the same prompts, so they are compared prompt by prompt: each with a curve
through the constants of that prompt, at the entropy that the condition has there. Between constants
that are far apart the curve is a guess. So each constant between two others is compared with these
as well: that difference should be 0, and what it is tells how far to trust the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

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
    Rows, for each condition and each of `ALIKE` as `against`: `documents`, prompts at which there
    are constants of lower and of higher entropy; and with value, `_low` and `_high` over these the
    mean difference of the numbers of a conditions table, with surprisal for ln perplexity, nats.
    Constants are compared with the other constants, and left out where there are none on both
    sides.

    Raises
    ------
    InputError
        If there are fewer than two constants, or nothing else.
    """
    by_condition: dict[str, dict[str, Mapping[str, Any]]] = {}
    methods = {}
    for row in rows:
        if row["prompts"].startswith(ALONE):
            by_condition.setdefault(row["condition"], {})[row["prompts"]] = row
            methods[row["condition"]] = row["method"]
    constants = {name: of for name, of in by_condition.items() if methods[name] == CONSTANT}
    if len(constants) < 2:
        raise InputError(
            f"generation: {len(constants)} constant sampling temperatures make no curve to compare "
            f"with; add conditions of the method `constant`, at least 2 in all"
        )
    compared = []
    for name, method in methods.items():
        others = [of for other, of in constants.items() if other != name]
        for against in ALIKE:
            off_dz = np.array(
                [
                    _difference(row, [of[doc] for of in others if doc in of], against)
                    for doc, row in by_condition[name].items()
                ]
            )
            head = {"condition": name, "method": method, "against": against}
            head["documents"] = int((~np.isnan(off_dz)).any(axis=1).sum())
            if method == CONSTANT and not head["documents"]:
                continue
            means = np.column_stack(mean_over_prompts(off_dz, confidence)).tolist()
            each = dict(zip(COMPARED_NUMBERS, means, strict=True))
            compared.append(head | interval_columns(each))
    if not compared:
        raise InputError(
            "generation: only constant sampling temperatures, and none between two others; add a "
            "condition to compare with them"
        )
    return compared


def _difference(row: Mapping[str, Any], constants: Rows, against: str) -> Array:
    """(numbers,) of one prompt; NaN where its entropy is not between those of two constants."""
    off_z = np.full(len(COMPARED_NUMBERS), np.nan)
    entropies = np.array([constant[against] for constant in constants], dtype=np.float64)
    x_q, different_q = np.unique(entropies, return_index=True)
    if len(x_q) < 2:
        return off_z
    number_qz = np.array([_numbers(constants[q]) for q in different_q.tolist()])
    known_z = np.isfinite(number_qz).all(axis=0)
    curve = PchipInterpolator(x_q, number_qz[:, known_z], extrapolate=False)
    off_z[known_z] = _numbers(row)[known_z] - curve(row[against])
    return off_z


def _numbers(row: Mapping[str, Any]) -> Array:
    """(numbers,) on the scale that they are compared on."""
    scaled = {**row, "surprisal": np.log(row["perplexity"])}
    return np.array([scaled[name] for name in COMPARED_NUMBERS], dtype=np.float64)
