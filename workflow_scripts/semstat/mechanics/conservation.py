"""Which combinations of kinetic and potential terms are conserved, on average over documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ..statistics.block_errors import ErrorBars, Estimate
from ..statistics.curve import Interval
from ..tables import interval_columns
from .sums import Sums
from .tables import MECHANICS_NUMBERS, MEMBER, NULLS, PAIRING_NULLS, VELOCITY_NULLS
from .terms import MEMBERS

Array = NDArray[np.float64]


def describe(sums: Sums, confidence: float) -> list[dict[str, Any]]:
    """Averages over documents with Student intervals, and the nulls: a row a combination of terms.

    The bounds of the shuffled and shifted nulls are those of an average over as many documents
    whose terms are paired at random: the documents' exact variances, added, and the normal law.

    Raises
    ------
    ValueError
        If there are fewer than two documents.
    """
    if sums.documents < 2:
        raise ValueError(
            "an interval over documents needs at least two that vary and are not short"
        )
    bars = ErrorBars.pointwise(sums.documents - 1, confidence)
    intervals = {name: _average(sums, name, bars) for name in MECHANICS_NUMBERS}
    quantile = ndtri((1 + confidence) / 2)
    half = {
        null: quantile * np.sqrt(sums.total[f"{null}_variance"]) / sums.documents
        for null in PAIRING_NULLS
    }
    rows = []
    for index, member in enumerate(MEMBERS):
        numbers = {
            name: Interval(*(float(part.flat[index]) for part in interval))
            for name, interval in intervals.items()
        }
        if np.isnan(numbers["mean"].value):
            continue
        row: dict[str, Any] = dict(zip(MEMBER, member, strict=True))
        row |= {"documents": sums.documents, "left_out": sums.left_out}
        row |= interval_columns(numbers)
        for null, width in half.items():
            bound = float(width.flat[index])
            row |= {f"{null}_low": 1 - bound, f"{null}_high": 1 + bound}
        rows.append(row | _verdict(row))
    return rows


def _average(sums: Sums, name: str, bars: ErrorBars) -> Interval[Array]:
    """One number of every combination, each part (forms, kinetic, potential)."""
    documents = sums.documents
    mean = sums.total[name] / documents
    scatter = np.maximum(sums.squares[name] - documents * mean**2, 0) / (documents - 1)
    error = np.sqrt(scatter / documents)
    curve = bars(Estimate(mean.ravel(), error.ravel()[:, None]))
    return Interval(*(part.reshape(mean.shape) for part in curve[:3]))


def _verdict(row: Mapping[str, float]) -> dict[str, bool | None]:
    """Whether the variance ratio lies beyond each null; null where the null was not measured.

    Beyond pairing anew: below the null's bound, and below 1 with its own interval too. Beyond
    another velocity: the paired difference excludes 0.
    """
    ratio, high = row["variance_ratio"], row["variance_ratio_high"]
    if np.isnan(ratio):
        return dict.fromkeys([*(f"below_{null}" for null in NULLS), "conserved"])
    below: dict[str, bool | None] = {
        f"below_{null}": bool(ratio < row[f"{null}_low"] and high < 1) for null in PAIRING_NULLS
    }
    for null in VELOCITY_NULLS:
        bound = row[f"beyond_{null}_high"]
        below[f"below_{null}"] = None if np.isnan(bound) else bool(bound < 0)
    return below | {"conserved": all(x for x in below.values() if x is not None)}
