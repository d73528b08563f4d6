"""Shares of independent texts."""

from __future__ import annotations

import numpy as np
from scipy.special import betaincinv

from .curve import Interval


def exact_share(number: int, of: int, confidence: float) -> Interval[float]:
    """A share with its exact binomial interval (Clopper and Pearson 1934, doi:10.2307/2331986).

    >>> round(exact_share(0, 8, 0.95).high, 3)
    0.369

    Parameters
    ----------
    number, of : so many of so many, independent of each other.
    """
    outside = (1 - confidence) / 2
    low = betaincinv(number, of - number + 1, outside) if number else 0.0
    high = betaincinv(number + 1, of - number, 1 - outside) if number < of else 1.0
    return Interval(number / of, float(low), float(high))


def less(a: Interval[float], b: Interval[float]) -> Interval[float]:
    """The difference of two shares, with an interval that stays between −1 and 1.

    Distances to the bounds of the two are added as squares (Newcombe 1998, doi:10.1002/(SICI)1097-
    0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I), as if they were independent: of the same texts,
    which mostly agree, it is wide.

    >>> apart = less(exact_share(6, 6, 0.95), exact_share(2, 6, 0.95))
    >>> [round(bound, 2) for bound in apart]
    [0.67, 0.03, 0.96]
    """
    value = a.value - b.value
    low = value - np.hypot(a.value - a.low, b.high - b.value)
    high = value + np.hypot(a.high - a.value, b.value - b.low)
    return Interval(value, float(low), float(high))
