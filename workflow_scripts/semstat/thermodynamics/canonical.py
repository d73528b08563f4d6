"""From the microcanonical to the canonical ensemble, by reweighting in log space.

Z(β) = ∫ e^{−βE} dΩ(E), with the atom at 0 in dΩ. The mass of each cell of the grid is the counted
one, so that its error is that of the blocks; inside a cell ln ρ is taken as straight, with the
slope of the estimated S_B. β is the inverse temperature of the heat bath, 1/probability, of either
sign: energies are bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from ..statistics.block_errors import ErrorBars, Estimate, block_residuals, state_inefficiency
from ..statistics.curve import Curve
from .curves import POPULATED, checked_counts
from .energy_grid import StateCounts

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Canonical:
    """Canonical averages, each (betas,) or a curve of that length.

    Bounds are NaN where fewer than `POPULATED` effective states carry the weight.

    inverse_temperature : β, 1/probability.
    log_partition : ln Z; ln Z(0) = 0.
    mean_energy : ⟨E⟩ = −d ln Z/dβ, probability.
    heat_capacity : C = β² (⟨E²⟩ − ⟨E⟩²); k_B.
    entropy : ln Z + β⟨E⟩, the Legendre transform back to an entropy: relative to all states; k_B.
    effective_states : how many independent states carry the weight at each β.
    """

    inverse_temperature: Array
    log_partition: Curve
    mean_energy: Curve
    heat_capacity: Curve
    entropy: Curve
    effective_states: Array

    def columns(self) -> dict[str, Array]:
        """(betas,) columns by name: inverse_temperature, log_partition, log_partition_low, …"""
        return {
            "inverse_temperature": self.inverse_temperature,
            "effective_states": self.effective_states,
            **self.log_partition.columns("log_partition"),
            **self.mean_energy.columns("mean_energy"),
            **self.heat_capacity.columns("heat_capacity"),
            **self.entropy.columns("entropy"),
        }


def reweight(
    counts: StateCounts,
    edges_e: Array,
    surface_entropy_e: Array,
    beta_t: Array,
    rng: np.random.Generator,
    resamples: int = 400,
    confidence: float = 0.95,
) -> Canonical:
    """Canonical averages at inverse temperatures β.

    Parameters
    ----------
    counts : as `curves.estimate_curves` takes them.
    edges_e : (edges,) the energy grid.
    surface_entropy_e : (edges,) S_B of the same ensemble; NaN counts as a flat density.
    beta_t : (betas,) inverse temperatures, 1/probability.
    rng, resamples : for the simultaneous bands, over all β whose bounds are given.
    confidence : coverage of each interval and band.

    Raises
    ------
    ValueError
        As `curves.estimate_curves` does.
    """
    count_be, zero_b = checked_counts(counts, edges_e)
    states_b = count_be.sum(axis=1)
    beta_t = np.asarray(beta_t, dtype=np.float64)
    cells = _Cells.of(count_be, zero_b, edges_e, surface_entropy_e)
    share_x = cells.count_bx.sum(axis=0) / states_b.sum()
    error_xb = block_residuals(cells.count_bx, states_b) / states_b.sum()

    log_factor_tx, mean_tx, variance_tx = cells.moments(beta_t)
    log_z_t = logsumexp(log_factor_tx + np.log(share_x), axis=1)
    factor_tx = np.exp(log_factor_tx - log_z_t[:, None])
    weight_tx = factor_tx * share_x
    energy_t = np.sum(weight_tx * mean_tx, axis=1)
    deviation_tx = mean_tx - energy_t[:, None]
    spread_tx = deviation_tx**2 + variance_tx
    spread_t = np.sum(weight_tx * spread_tx, axis=1)

    log_z_tb = (factor_tx - 1) @ error_xb
    energy_tb = (factor_tx * deviation_tx) @ error_xb
    log_spread_tb = (factor_tx * (spread_tx - spread_t[:, None])) @ error_xb / spread_t[:, None]
    effective_t = states_b.sum() / np.sum(factor_tx**2 * share_x, axis=1)
    effective_t /= state_inefficiency(count_be)
    carried_t = effective_t >= POPULATED
    blocks = len(states_b)
    bars = ErrorBars.resample(blocks, blocks, resamples, confidence, carried_t, rng)

    def curve(value_t: Array, error_tb: Array) -> Curve:
        whole = bars(Estimate(value_t, error_tb))
        return whole._replace(
            low=np.where(carried_t, whole.low, np.nan), high=np.where(carried_t, whole.high, np.nan)
        )

    capacity = curve(np.log(spread_t), log_spread_tb).each(lambda log_t: beta_t**2 * np.exp(log_t))
    entropy_tb = log_z_tb + beta_t[:, None] * energy_tb
    return Canonical(
        beta_t,
        curve(log_z_t, log_z_tb),
        curve(energy_t, energy_tb),
        capacity,
        curve(log_z_t + beta_t * energy_t, entropy_tb),
        effective_t,
    )


class _Cells(NamedTuple):
    """Cells of energy that hold states, those at −1 and at 0 exactly among them with width 0.

    count_bx : (blocks, cells) states.
    low_x, width_x : (cells,) where they begin, and how wide they are; probability.
    slope_x : (cells,) d ln ρ/dE inside, 1/probability.
    """

    count_bx: Array
    low_x: Array
    width_x: Array
    slope_x: Array

    @classmethod
    def of(cls, count_be: Array, zero_b: Array, edges_e: Array, surface_entropy_e: Array) -> _Cells:
        zero = int(np.searchsorted(edges_e, 0.0))
        count_bx = np.hstack([count_be, zero_b[:, None]])
        count_bx[:, zero] -= zero_b
        width_x = np.concatenate([[0.0], np.diff(edges_e), [0.0]])
        low_x = np.concatenate([edges_e[:1], edges_e[:-1], [0.0]])
        rise_x = np.concatenate([[0.0], np.nan_to_num(np.diff(surface_entropy_e)), [0.0]])
        slope_x = np.divide(rise_x, width_x, out=np.zeros_like(width_x), where=width_x > 0)
        full_x = count_bx.sum(axis=0) > 0  # elsewhere e^{−βE} may overflow, to no effect
        return cls(count_bx[:, full_x], low_x[full_x], width_x[full_x], slope_x[full_x])

    def moments(self, beta_t: Array) -> tuple[Array, Array, Array]:
        """ln ⟨e^{−βE}⟩ of each cell, and mean and variance of E in it once reweighted."""
        own_x = self.slope_x * self.width_x
        tilt_tx = own_x - beta_t[:, None] * self.width_x
        log_factor_tx = _log_mean_exp(tilt_tx) - _log_mean_exp(own_x) - beta_t[:, None] * self.low_x
        mean_tx, variance_tx = _tilted_unit_interval(tilt_tx)
        return log_factor_tx, self.low_x + self.width_x * mean_tx, self.width_x**2 * variance_tx


def _log_mean_exp(tilt: Array) -> Array:
    """ln ∫₀¹ e^{tilt·t} dt."""
    size = np.maximum(np.abs(tilt), 1e-9)
    log: Array = np.maximum(tilt, 0) + np.log(-np.expm1(-size) / size)
    return log


def _tilted_unit_interval(tilt: Array) -> tuple[Array, Array]:
    """Mean and variance of t on [0, 1] with density ∝ e^{tilt·t}."""
    far = np.where(np.abs(tilt) > 1e-2, tilt, 1.0)
    with np.errstate(over="ignore"):
        mean = -1 / np.expm1(-far) - 1 / far
        variance = 1 / far**2 - 1 / (4 * np.sinh(far / 2) ** 2)
    near = np.abs(tilt) <= 1e-2
    return (
        np.where(near, 0.5 + tilt / 12, mean),
        np.where(near, 1 / 12 - tilt**2 / 240, variance),
    )
