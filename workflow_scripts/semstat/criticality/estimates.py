"""Intervals over prompts, of observables and of sampling temperatures at which they change.

Prompts are drawn again with replacement, the same ones at every sampling temperature and length,
since one prompt's texts have the same random numbers there. The percentiles are those of Hesterberg
(The American Statistician 69, 371 (2015), "expanded"): as much wider as Student's t and n/(n − 1)
make the interval of a mean of so few prompts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from ..statistics.curve import Interval

Array = NDArray[np.float64]

FEWEST_KNOWN = 0.5
"""Share of draws that must have a number for it to have an interval."""

SAME = 1e-9
"""Relative difference of numbers that are rounding alone."""


def draw_prompts(prompts: int, resamples: int, rng: np.random.Generator) -> Array:
    """(1 + resamples, prompts) weights that add to 1, the first those of all prompts alike."""
    drawn_rd = rng.multinomial(prompts, np.full(prompts, 1 / prompts), size=resamples)
    weight_rd: Array = np.concatenate([np.ones((1, prompts)), drawn_rd]) / prompts
    return weight_rd


def interval_over_prompts(value_r: Array, prompts: int, confidence: float) -> Interval[float]:
    """A number of all prompts, and its interval.

    Parameters
    ----------
    value_r : (1 + resamples,) of all prompts alike first, then of draws; NaN where there is none.

    Returns
    -------
    NaN where all prompts have none; without bounds where fewer than `FEWEST_KNOWN` of draws do, or
    where those that do all have the same: then one prompt alone says anything of it.
    """
    whole, drawn_r = float(value_r[0]), value_r[1:]
    known_r = drawn_r[~np.isnan(drawn_r)]
    if np.isnan(whole) or len(known_r) < FEWEST_KNOWN * len(drawn_r):
        return Interval(whole, np.nan, np.nan)
    if len(known_r) < len(drawn_r) and np.ptp(known_r) <= SAME * abs(whole):
        return Interval(whole, np.nan, np.nan)
    student = stdtrit(prompts - 1, (1 - confidence) / 2)
    outside = float(ndtr(np.sqrt(prompts / (prompts - 1)) * student))
    low, high = np.quantile(known_r, [outside, 1 - outside])
    # A percentile interval may miss a number that is not linear in the prompts.
    return Interval(whole, min(float(low), whole), max(float(high), whole))
