"""How often intervals and bands held the truth, with the standard error of the simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Row = dict[str, Any]

OFTEN = 0.25
"""Share of data sets that must give an interval at an energy, for that to be the worst one."""


def intervals(low_dj: Array, high_dj: Array, exact_j: Array) -> Row:
    """Coverage by intervals, over data sets d and energies (or other numbers) j.

    A bound that is missing is no claim, so what is counted is whether the truth lies beyond a bound
    that is given, among intervals that have at least one. Standard errors take the data sets, not
    their energies, as independent.

    Returns
    -------
    held, held_se : share of the intervals given that hold the truth.
    worst, worst_se : the same at the worst of the energies at which `OFTEN` enough one is given.
    given : share of intervals that are given.
    """
    given_dj = ~(np.isnan(low_dj) & np.isnan(high_dj))
    held_dj = given_dj & ~(exact_j < low_dj) & ~(exact_j > high_dj)
    given_j, held_j = given_dj.sum(axis=0), held_dj.sum(axis=0)
    row: Row = {"data sets": len(low_dj), "given": _mean(given_dj)}
    if not given_j.any():
        return row
    held = float(held_j.sum() / given_j.sum())
    apart_d = held_dj.sum(axis=1) - held * given_dj.sum(axis=1)
    often_j = given_j >= max(1.0, OFTEN * len(low_dj))
    row |= {"held": held, "held_se": float(np.sqrt(np.sum(apart_d**2)) / given_j.sum())}
    if often_j.any():
        share_j = np.where(often_j, held_j / np.maximum(given_j, 1), 2.0)
        worst = int(np.argmin(share_j))
        row |= {
            "worst": float(share_j[worst]),
            "worst_se": binomial_error(float(share_j[worst]), int(given_j[worst])),
        }
    return row


def bands(low_dj: Array, high_dj: Array, exact_j: Array) -> Row:
    """Share of data sets whose band holds all of the truth, where the band is defined.

    Data sets without a band anywhere are left out.
    """
    defined_d = (~np.isnan(low_dj) | ~np.isnan(high_dj)).any(axis=1)
    if not defined_d.any():
        return {}
    left_dj = (exact_j < low_dj) | (exact_j > high_dj)
    return share("band", ~left_dj[defined_d].any(axis=1))


def share(name: str, happened_d: NDArray[np.bool_]) -> Row:
    """How often something happened, of independent data sets."""
    mean = float(np.mean(happened_d))
    return {name: mean, f"{name}_se": binomial_error(mean, len(happened_d))}


def average(name: str, value_dj: Array) -> Row:
    """Mean of what is finite; its standard error from that of the data sets."""
    finite_dj = np.isfinite(value_dj)
    count_d = finite_dj.sum(axis=1)
    if not count_d.any():
        return {}
    sum_d = np.where(finite_dj, value_dj, 0.0).sum(axis=1)
    mean = float(sum_d.sum() / count_d.sum())
    error = float(np.sqrt(np.sum((sum_d - mean * count_d) ** 2)) / count_d.sum())
    return {name: mean, f"{name}_se": error}


def binomial_error(share: float, count: int) -> float:
    """Standard error of a share; for 0 and 1 as if half an event more had happened otherwise."""
    inside = min(max(share, 0.5 / count), 1 - 0.5 / count)
    return float(np.sqrt(inside * (1 - inside) / count))


def _mean(value: NDArray[Any]) -> float:
    return float(np.mean(value)) if value.size else 0.0
