"""Shares of independent texts."""

from __future__ import annotations

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
