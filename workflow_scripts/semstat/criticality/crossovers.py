"""Sampling temperatures at which a sweep changes: peaks, crossings, and where they are.

Each is a function of values on the sweep's sampling temperatures, and NaN where there is none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def falls_through_zero(value_ro: Array, temperature_o: Array) -> Array:
    """(draws,) where a function of the sampling temperature goes from above 0 to below.

    Of several such places that one is taken which parts the sweep best: the sum of values on the
    colder side, less that on the hotter one, is the largest. Linear between neighbours. NaN where
    the function does not go from above to below.

    Parameters
    ----------
    value_ro : (draws, sampling temperatures); places without a value are left out.
    temperature_o : ascending.
    """
    return np.array([_falls(value_o, temperature_o) for value_o in value_ro])


def _falls(value_o: Array, temperature_o: Array) -> float:
    known_o = ~np.isnan(value_o)
    value_o, temperature_o = value_o[known_o], temperature_o[known_o]
    falls_o = (value_o[:-1] > 0) & (value_o[1:] <= 0)
    if not falls_o.any():
        return np.nan
    parted_o = 2 * np.cumsum(value_o)[:-1] - value_o.sum()
    at = int(np.argmax(np.where(falls_o, parted_o, -np.inf)))
    part = value_o[at] / (value_o[at] - value_o[at + 1])
    return float(temperature_o[at] + part * (temperature_o[at + 1] - temperature_o[at]))


def peak(value_ro: Array, temperature_o: Array) -> Array:
    """(draws,) where a function of the sampling temperature is largest.

    The top of the parabola through the largest value and its two neighbours. NaN where the largest
    one is the first or the last: then there is no peak within the sweep.
    """
    return np.array([_peak(value_o, temperature_o) for value_o in value_ro])


def steepest(value_ro: Array, temperature_o: Array) -> Array:
    """(draws,) where a function of the sampling temperature changes fastest.

    The peak of its slope between neighbours, told half-way between them; NaN where it is steepest
    at either end of the sweep.
    """
    slope_ro = np.abs(np.diff(value_ro, axis=1) / np.diff(temperature_o))
    return peak(slope_ro, (temperature_o[1:] + temperature_o[:-1]) / 2)


def _peak(value_o: Array, temperature_o: Array) -> float:
    known_o = ~np.isnan(value_o)
    value_o, temperature_o = value_o[known_o], temperature_o[known_o]
    if len(value_o) < 3:
        return np.nan
    at = int(np.argmax(value_o))
    if at in (0, len(value_o) - 1):
        return np.nan
    left, middle, right = temperature_o[at - 1 : at + 2]
    to_left, to_right = middle - left, right - middle
    fall_left, fall_right = value_o[at] - value_o[at - 1], value_o[at] - value_o[at + 1]
    below = to_left * fall_right + to_right * fall_left
    if below == 0:
        return float(middle)
    return float(middle + 0.5 * (to_right**2 * fall_left - to_left**2 * fall_right) / below)
