"""The smooth density of states of one ensemble, with its errors by source.

Below the last well-populated energy the curves follow this density rather than the empirical
distribution function. There its logarithm is all but a straight line in `Coordinate`: the
power law ρ ∝ (1 + E)^k towards the hard edge at −1, which is a generalised Pareto tail whose end
is known; its index is that of the states above, its errors those of the blocks, of the smoothing
prior, and of keeping straight where the states above bend (`Fit.tail_modes`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..statistics.block_errors import Estimate
from ..statistics.blocks import Blocks
from .holes import inner_tails, tails
from .log_density import Fit, fit_log_density

Array = NDArray[np.float64]

POPULATED = 20
"""Effective states on either side of an energy that make it well populated."""

TAIL = 3 * POPULATED
"""Effective states from which on ln ρ may bend as its data no longer tell."""

UNRESOLVED_ERROR = 2.0
"""Standard error of ln ρ beyond which ρ is undefined: the data do not tell it within e^±4."""


class SmoothDensity(NamedTuple):
    """Curves on the grid points, NaN where the states do not determine ρ.

    log : ln ρ; at 0, where ρ jumps there, of the mean over the two cells that touch 0.
    slope, curvature : d ln ρ/dE, 1/probability, and d² ln ρ/dE², 1/probability².
    log_volume : ln of ∫ρ from −1 to E, with counts in place of ρ where the grid does not resolve.
    """

    log: Estimate
    slope: Estimate
    curvature: Estimate
    log_volume: Estimate


def smooth_density(
    count_be: Array,
    zero_b: Array,
    blocks: Blocks,
    edges_e: Array,
    hole_e: NDArray[np.bool_],
    beside_e: Array,
    order: int = 2,
) -> SmoothDensity:
    """Fit ln ρ where the grid resolves it: off the cells that touch 0 and ±1.

    Parameters
    ----------
    count_be : (blocks, edges) states in (E_{e−1}, E_e] of the non-empty blocks.
    zero_b : (blocks,) states at 0 exactly, which count_be includes.
    blocks : these blocks.
    edges_e : (edges,) the energy grid.
    hole_e : (edges,) regions without states, see `holes.holes`; ρ is NaN there.
    beside_e : (edges,) effective states beside each energy, see `holes.states_beside`.
    order : of the penalty, see `log_density.fit_log_density`.
    """
    zero = int(np.searchsorted(edges_e, 0.0))
    fitted_e = ~(hole_e | np.append(False, hole_e[:-1]))  # a hole may begin within a cell
    fitted_e[[0, 1, zero, zero + 1, -1]] = False
    cell_j = np.flatnonzero(fitted_e)
    count_bj, states = count_be[:, cell_j], count_be.sum()
    if np.count_nonzero(count_bj.sum(axis=0)) < 2:
        nothing = Estimate(np.full(len(edges_e), np.nan), np.full(count_be.T.shape, np.nan))
        return SmoothDensity(nothing, nothing, nothing, nothing)

    inefficiency = blocks.density_inefficiency(count_be)
    fit = fit_log_density(
        count_bj.sum(axis=0) / inefficiency, edges_e[cell_j - 1], edges_e[cell_j], order
    )
    change_jb = blocks.residuals(count_bj) / inefficiency
    beyond = tails(beside_e >= TAIL, hole_e, edges_e)
    if fit.basis.coordinate.split and not hole_e[zero]:
        off_zero_e = (count_be.sum(axis=0) - zero_b.sum() * (edges_e == 0)) / inefficiency
        beyond += inner_tails(off_zero_e, edges_e, TAIL)
    error_au = np.hstack(
        [
            fit.inverse_aa @ (fit.score_aj @ change_jb),
            fit.bias_modes(),
            fit.tail_modes(beyond),
        ]
    )
    log, slope, curvature = (
        Estimate(basis_ea @ fit.beta_a, basis_ea @ error_au)
        for basis_ea in (fit.basis.at(edges_e, order) for order in range(3))
    )
    log.value_e[:] -= np.log(states / inefficiency)
    edge_mass = np.exp(log.value_e[1]) * (1 + edges_e[1]), log.error_eu[1]
    log_volume = _log_volume(fit, error_au, count_be, blocks, cell_j, inefficiency, edge_mass)
    if fit.basis.coordinate.split:
        innermost_b = count_be[:, zero] + count_be[:, zero + 1] - zero_b
        width = edges_e[zero + 1] - edges_e[zero - 1]
        _set_mean_density(log, zero, innermost_b / width, blocks)
        slope.value_e[zero] = curvature.value_e[zero] = np.nan
    unresolved_e = ~(log.deviation_e < UNRESOLVED_ERROR) | hole_e
    for part in (*log, *slope, *curvature, *log_volume):
        part[unresolved_e] = np.nan
    return SmoothDensity(log, slope, curvature, log_volume)


def _set_mean_density(log: Estimate, edge: int, density_b: Array, blocks: Blocks) -> None:
    """Put a mean density, given as Σ density over states, in place of the spline's."""
    mean = density_b.sum() / blocks.states_b.sum()
    log.value_e[edge] = np.log(mean) if mean > 0 else np.nan
    log.error_eu[edge] = 0.0
    relative_b = blocks.residuals(density_b[:, None])[0] / max(density_b.sum(), 1e-300)
    log.error_eu[edge, : len(density_b)] = relative_b


def _log_volume(
    fit: Fit,
    error_au: Array,
    count_be: Array,
    blocks: Blocks,
    cell_j: NDArray[np.intp],
    inefficiency: float,
    edge_mass: tuple[float, Array],
) -> Estimate:
    """ln of the cumulated mass of the cells: fitted, or counted where the grid does not resolve.

    `edge_mass`, a share of states and its relative errors, is what the density puts in the lowest
    cell, should that be empty.
    """
    mass_e = count_be.sum(axis=0)
    states = mass_e.sum()
    error_eu = np.zeros((len(mass_e), error_au.shape[1]))
    error_eu[:, : len(count_be)] = blocks.residuals(count_be)
    if mass_e[:2].sum() == 0:
        mass_e[1] = edge_mass[0] * states
        error_eu[1] = mass_e[1] * edge_mass[1]
    mean_j, row_ja = fit.basis.means(fit.beta_a)
    mass_e[cell_j] = mean_j * inefficiency
    moved_ju = np.einsum("ja,jau->ju", row_ja, error_au[fit.basis.index_ja])
    error_eu[cell_j] = mass_e[cell_j, None] * moved_ju
    cumulated_e = np.cumsum(mass_e)
    reached_e = np.where(cumulated_e > 0, cumulated_e, np.nan)
    return Estimate(
        np.log(reached_e) - np.log(states), np.cumsum(error_eu, axis=0) / reached_e[:, None]
    )
