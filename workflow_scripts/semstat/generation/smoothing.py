"""A smooth schedule through sampling temperatures that were found position by position."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator, make_smoothing_spline

Array = NDArray[np.float64]

FEWEST = 8
"""Positions below which there is nothing to tell noise from shape by (the spline needs 5)."""


def smooth(temperature_t: Array) -> Array:
    """A smoothing spline of ln sampling temperature over ln position.

    What runs were at hand moves each sampling temperature by itself, mostly; the first positions
    differ from each other by more than noise, and logarithms keep them apart. How smooth it is
    follows from generalised cross-validation (scipy's `make_smoothing_spline`).

    Parameters
    ----------
    temperature_t : (positions,) positive.

    Returns
    -------
    (positions,) sampling temperatures.
    """
    if len(temperature_t) < FEWEST:
        return temperature_t
    log_position_t = np.log(np.arange(1, len(temperature_t) + 1))
    spline = make_smoothing_spline(log_position_t, np.log(temperature_t))
    smooth_t: Array = np.exp(spline(log_position_t))
    return smooth_t


def knots(number: int, positions: int) -> NDArray[np.int64]:
    """So many positions at even distances of their logarithms, the first one 1."""
    return np.unique(np.round(np.geomspace(1, positions, number)).astype(np.int64))


def through_knots(at_q: NDArray[np.int64], temperature_q: Array, positions: int) -> Array:
    """A monotone interpolation (PCHIP) of ln sampling temperature over ln position.

    Parameters
    ----------
    at_q : (knots,) positions, ascending; a single one is a constant.
    temperature_q : (knots,) sampling temperatures there, positive.
    positions : how many are wanted; beyond the last knot the last one holds.

    Returns
    -------
    (positions,) sampling temperatures.
    """
    if len(at_q) == 1:
        return np.full(positions, temperature_q[0])
    position_t = np.minimum(np.arange(1, positions + 1), at_q[-1])
    curve = PchipInterpolator(np.log(at_q), np.log(temperature_q))
    temperature_t: Array = np.exp(curve(np.log(position_t)))
    return temperature_t
