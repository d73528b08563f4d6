"""S(E) = ln Pr[H ≤ E] from what nested sampling leaves behind, with its error."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .trace import Trace

Array = NDArray[np.float64]


class Entropy(NamedTuple):
    """S, with its standard error; both NaN at energies that were not reached.

    value, stderr : nats, (energies,) or (runs, energies).
    """

    value: Array
    stderr: Array


def entropy(trace: Trace, energy_e: ArrayLike) -> Entropy:
    """S(E) of each run, (runs, energies).

    S(E) = −Σ 1/n over the deaths above E, n walkers alive at each. Its variance is Σ 1/n², if
    copies forget their origins: an error of about √(ln-compression/K). It is defined where no
    walker is left above E.

    >>> from .trace import Settings
    >>> died, reached = np.array([[0.9, 0.8, 0.5, 0.5]]), np.array([0.5])
    >>> trace = Trace(Settings(10, 2, 1), died, *[None] * 3, reached, *[None] * 2)
    >>> entropy(trace, [1.0, 0.8, 0.5, 0.4]).value.round(3)
    array([[ 0.   , -0.1  , -0.211,    nan]])
    """
    energy_e = np.asarray(energy_e, dtype=np.float64)
    hazard_z = 1 / trace.settings.alive(trace.energy_rz.shape[1])
    number_re = np.stack([_above(energy_z, energy_e) for energy_z in trace.energy_rz])
    reached_re = energy_e >= trace.reached_r[:, None]
    sums = (np.concatenate([[0.0], np.cumsum(part_z)]) for part_z in (hazard_z, hazard_z**2))
    sum_re, variance_re = (np.where(reached_re, sum_z[number_re], np.nan) for sum_z in sums)
    return Entropy(0.0 - sum_re, np.sqrt(variance_re))


def _above(energy_z: Array, energy_e: Array) -> NDArray[np.int64]:
    """(energies,) how many deaths were above each energy."""
    ascending = energy_z[~np.isnan(energy_z)][::-1]
    return len(ascending) - np.searchsorted(ascending, energy_e, side="right")


def of_repeats(each: Entropy) -> Entropy:
    """The mean S of independent runs of one system, (energies,), its error from their scatter.

    Parameters
    ----------
    each : (runs, energies) of at least two; NaN where not all have got.
    """
    runs = len(each.value)
    scatter_e = each.value.std(axis=0, ddof=1)
    return Entropy(each.value.mean(axis=0), scatter_e / np.sqrt(runs))


def of_both_sides(lower: Entropy, upper: Entropy) -> Entropy:
    """ln Pr[H ≤ E] from both sides: from above it is ln(1 − Pr[H > E]), where that errs less.

    Parameters
    ----------
    lower : ln Pr[H ≤ E].
    upper : ln Pr[H > E], or ln Pr[H ≥ E] where no states are at E: of −H, at −E.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        left = -np.expm1(upper.value)
        value = np.log(left)
        stderr = upper.stderr * np.exp(upper.value) / left
    from_above = ~(lower.stderr <= stderr) & np.isfinite(value)
    return Entropy(*np.where(from_above, (value, stderr), lower))
