"""How far text is from wells, and whether it is nearer than random points, over pairs of tokens."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..statistics.curve import Interval
from .description import student_apart

Array = NDArray[np.float64]


def describe_distances(
    own_r: Array, text_rs: Array, random_rs: Array, confidence: float
) -> dict[str, Any]:
    """The columns of `tables.DISTANCES` from `reached_own` on, of one space.

    Parameters
    ----------
    own_r : (pairs,) distances from each pair's own state; NaN where the well was not found.
    text_rs, random_rs : (pairs, starts) the same from other states, and from random points.
    """
    own_r, text_rs, random_rs = (
        np.where(np.isnan(part), np.inf, part) for part in (own_r, text_rs, random_rs)
    )
    of_pairs = {"own": own_r, "own_nearer": _nearer(own_r[:, None], random_rs)}
    of_pairs["text_nearer"] = _nearer(text_rs, random_rs)
    for name, part_rs in (("text", text_rs), ("random", random_rs)):
        of_pairs[name] = np.quantile(part_rs, 0.5, axis=1, method="higher")
        of_pairs[f"nearest_{name}"] = part_rs.min(axis=1)
    parts = {"own": own_r, "text": text_rs, "random": random_rs}
    row: dict[str, Any] = {
        f"reached_{name}": np.isfinite(part).mean() for name, part in parts.items()
    }
    return row | {
        name: _mean(value_r, confidence, 1.0 if name.endswith("_nearer") else np.inf)
        for name, value_r in of_pairs.items()
    }


def _nearer(first_rs: Array, other_rs: Array) -> Array:
    """(pairs,) chance that one of the first is nearer than one of the others; ties count half."""
    first, other = first_rs[:, :, None], other_rs[:, None, :]
    chance_r: Array = ((first < other) + 0.5 * (first == other)).mean(axis=(1, 2))
    return chance_r


def _mean(value_r: Array, confidence: float, most: float) -> Interval[float]:
    """The mean over pairs with Student's interval, from 0 to `most`; NaN if one has no number."""
    if not np.isfinite(value_r).all():
        return Interval(np.nan, np.nan, np.nan)
    mean, apart = float(value_r.mean()), float(student_apart(value_r, confidence))
    return Interval(mean, float(np.maximum(mean - apart, 0)), float(np.minimum(mean + apart, most)))
