"""The temperature T = (dS/dE)⁻¹ of a volume, from the deaths of nested sampling.

Of n walkers alive one dies in [E − dE, E] with the chance n β dE, where β = dS/dE = 1/T: deaths are
a Poisson process, and β its intensity for each walker. So ln β is the penalised spline that ln ρ
of text is (`log_density`), fitted to deaths counted on the energy grid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ..statistics.curve import Interval
from ..thermodynamics.log_density import fit_log_density
from ..thermodynamics.smooth_density import UNRESOLVED_ERROR
from .description import effective, enough, student_apart
from .entropy import Entropy
from .trace import Trace

Array = NDArray[np.float64]


def log_slope(trace: Trace, edges_e: Array, order: int = 2) -> Entropy:
    """ln β = −ln T of each run, on the energy grid, with its error; ln of 1/probability.

    NaN above all deaths and below where a run has ended, in the cells that touch 0 and ±1, which
    the grid does not resolve, and where the deaths do not tell it within e^±4. The error is that of
    deaths, and of what smoothing takes away (the posterior covariance of the spline); as that of S,
    it takes copies to forget their origins.

    Parameters
    ----------
    edges_e : (edges,) the energy grid.
    order : of the derivative of ln β that smoothing penalises, see `log_density.fit_log_density`.

    Returns
    -------
    Each part (runs, edges).
    """
    hazard_z = 1 / trace.settings.alive(trace.energy_rz.shape[1])
    parts = [
        _of_run(energy_z[~np.isnan(energy_z)], hazard_z, reached, edges_e, order)
        for energy_z, reached in zip(trace.energy_rz, trace.reached_r, strict=True)
    ]
    return Entropy(*(np.stack(part) for part in zip(*parts, strict=True)))


def _of_run(
    energy_z: Array, hazard_z: Array, reached: float, edges_e: Array, order: int
) -> tuple[Array, Array]:
    """(edges,) ln β and its error."""
    hazard_z = hazard_z[: len(energy_z)]
    value_e = np.full(len(edges_e), np.nan)
    cell_z = np.searchsorted(edges_e, energy_z, side="left")
    zero = int(np.searchsorted(edges_e, 0.0))
    fitted_e = np.append(False, edges_e[:-1] >= reached)
    fitted_e[[0, 1, zero, zero + 1, -1]] = False
    cell_j = np.flatnonzero(fitted_e)
    alive = len(energy_z) / hazard_z.sum() if len(energy_z) else np.nan
    count_e = np.bincount(cell_z, alive * hazard_z, len(edges_e)).astype(np.float64)
    if np.count_nonzero(count_e[cell_j]) < 2:
        return value_e, value_e.copy()
    fit = fit_log_density(count_e[cell_j], edges_e[cell_j - 1], edges_e[cell_j], order)
    basis_ea = fit.basis.at(edges_e)
    stderr_e = np.sqrt(np.einsum("ea,ab,eb->e", basis_ea, fit.inverse_aa, basis_ea, optimize=True))
    known_e = (edges_e >= reached) & (edges_e <= energy_z[0]) & (stderr_e < UNRESOLVED_ERROR)
    known_e[[0, zero, -1]] = False
    value_e[known_e] = (basis_ea @ fit.beta_a - np.log(alive))[known_e]
    return value_e, np.where(known_e, stderr_e, np.nan)


def temperature_of_each(slope: Entropy, confidence: float) -> Interval[Array]:
    """T of each pair with the interval of its run, from `log_slope`; (pairs, edges)."""
    apart = ndtri((1 + confidence) / 2) * slope.stderr
    return Interval(*(np.exp(-slope.value + side * apart) for side in (0, -1, 1)))


def average_temperature(
    slope: Entropy, entropy_re: Array, confidence: float
) -> dict[str, Interval[Array]]:
    """T of the averages over pairs, with Student's intervals of ln T to first order; (edges,).

    1/T is the mean of β over pairs: for `typical`, whose S is the mean ln Ω, of all alike; for the
    mean Ω, with the weights that pairs have in it. NaN where one pair
    has none; without bounds where few pairs make the mean up.

    Parameters
    ----------
    entropy_re : (pairs, edges) S of each pair.
    """
    beta_re = np.exp(slope.value)
    share_re = np.exp(entropy_re - entropy_re.max(axis=0))
    share_re /= share_re.mean(axis=0)
    found = {}
    for name, weight_re in (
        ("temperature", share_re),
        ("typical_temperature", np.ones_like(share_re)),
    ):
        beta_e = (weight_re * beta_re).mean(axis=0)
        apart_e = student_apart(weight_re * (beta_re / beta_e - 1), confidence)
        apart_e = np.where(enough(effective(weight_re), len(weight_re)), apart_e, np.nan)
        bounds = (np.exp(side * apart_e) / beta_e for side in (-1, 1))
        found[name] = Interval(1 / beta_e, *bounds)
    return found
