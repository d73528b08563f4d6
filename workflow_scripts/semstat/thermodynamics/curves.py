"""Density of states, phase-space volume, entropies and temperatures, with error bars.

Ω is the empirical distribution function of the counts, exactly. ρ is a penalised spline of its
logarithm (`smooth_density`), fitted to effective counts: the states, divided by how much more
blocks of documents scatter than independent states would. T = Ω/ρ and T_B = (d ln ρ/dE)⁻¹ follow.
Error bars are those of `block_errors`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..statistics.block_errors import ErrorBars, Estimate
from ..statistics.blocks import Blocks
from ..statistics.curve import Curve
from .energy_grid import StateCounts
from .smooth_density import SmoothDensity, smooth_density
from .tables import CURVE_QUANTITIES

Array = NDArray[np.float64]

POPULATED = 20
"""Effective states on either side of an energy that make it well populated."""


@dataclass(frozen=True)
class Curves:
    """Curves of one ensemble on the energy grid.

    NaN where undefined, never infinite: ρ and what follows from it where no state is near, bounds
    of T_B where those of 1/T_B enclose 0, bands where `extrapolated`.

    energy : (edges,) E, probability.
    density : ρ = dΩ/dE without the atom at 0, 1/probability.
    volume : Ω = Pr[H ≤ E], with the atom; 1.
    entropy : S = ln Ω; k_B.
    temperature : T = Ω/ρ, probability.
    surface_entropy : S_B = ln ρ; k_B.
    surface_temperature : T_B = (dS_B/dE)⁻¹, of either sign; probability.
    extrapolated : (edges,) bool, where fewer than `POPULATED` effective states lie on either side.
        There ρ leans on the states further in, and below them T = Ω/ρ takes Ω from ρ as well; S is
        ln Ω of the states down to the lowest of them, and of ρ from there.
    states : states counted.
    inefficiency : g; states/g is the effective number of states.
    """

    energy: Array
    density: Curve
    volume: Curve
    entropy: Curve
    temperature: Curve
    surface_entropy: Curve
    surface_temperature: Curve
    extrapolated: NDArray[np.bool_]
    states: int
    inefficiency: float

    @property
    def effective_states(self) -> float:
        """How many independent states would tell as much as these."""
        return self.states / self.inefficiency

    def columns(self) -> dict[str, NDArray[Any]]:
        """(edges,) columns by name: energy, density, density_low, … density_band_high, volume, …"""
        columns: dict[str, NDArray[Any]] = {"energy": self.energy}
        for name in CURVE_QUANTITIES:
            columns |= getattr(self, name).columns(name)
        columns["extrapolated"] = self.extrapolated
        return columns


def estimate_curves(
    counts: StateCounts,
    edges_e: Array,
    rng: np.random.Generator,
    resamples: int = 400,
    confidence: float = 0.95,
) -> Curves:
    """Estimate every curve of one ensemble.

    Parameters
    ----------
    counts : states in (E_{e−1}, E_e] by document block, and those at 0 exactly. Empty blocks are
        left out: an ensemble of few documents has fewer blocks.
    edges_e : (edges,) the energy grid, ascending from −1 to 1 through 0.
    rng, resamples : for as many draws of the errors, which the bands are read off.
    confidence : coverage of each interval and of each band.

    Returns
    -------
    The curves. Where all states lie in one cell of the grid, or within its resolution of 0 or ±1,
    ρ and what follows from it are NaN. Where ρ jumps at 0, `density` there is the mean over the two
    cells that touch 0.

    Raises
    ------
    ValueError
        If the counts hold no state, fewer than two non-empty blocks, or a negative or NaN count,
        or do not match the grid.
    """
    parts = estimate(counts, edges_e)
    bars = ErrorBars.drawn(
        parts.blocks.freedom, parts.sources, resamples, confidence, parts.populated_e, rng
    )
    log_density = bars(parts.smooth.log)
    volume = bars.share(parts.volume, parts.blocks.share_deviation)
    volume.low[-1] = 1.0  # H ≤ 1, seen or not
    return Curves(
        energy=np.array(edges_e, dtype=np.float64),
        density=log_density.each(np.exp),
        volume=volume,
        entropy=_entropy(volume, bars(parts.smooth.log_volume)),
        temperature=bars(parts.log_temperature).each(np.exp),
        surface_entropy=log_density,
        surface_temperature=_reciprocal(bars(parts.smooth.slope)),
        states=parts.states,
        inefficiency=parts.states / parts.effective,
        extrapolated=~parts.populated_e,
    )


class Parts(NamedTuple):
    """What the curves of one ensemble are made of, before intervals.

    volume : Ω.
    smooth : ln ρ and what follows from it.
    log_temperature : ln T.
    populated_e : (edges,) where at least `POPULATED` effective states lie on either side.
    effective : effective states.
    states : states counted.
    blocks : the non-empty blocks.
    """

    volume: Estimate
    smooth: SmoothDensity
    log_temperature: Estimate
    populated_e: NDArray[np.bool_]
    effective: float
    states: int
    blocks: Blocks

    @property
    def sources(self) -> int:
        """Sources of error, the blocks first."""
        return int(self.smooth.log.error_eu.shape[1])


def estimate(counts: StateCounts, edges_e: Array, order: int = 2) -> Parts:
    """Curves of one ensemble with the sources of their errors; see `estimate_curves`.

    `order` is that of the derivative of ln ρ which smoothing penalises.
    """
    count_be, zero_b, blocks = checked_counts(counts, edges_e)
    effective = float(count_be.sum()) / blocks.state_inefficiency(count_be)
    volume = blocks.per_state(np.cumsum(count_be, axis=1))
    populated_e = np.minimum(volume.value_e, 1 - volume.value_e) * effective >= POPULATED
    smooth = smooth_density(count_be, zero_b, blocks, edges_e, populated_e, order)
    tail_e = volume.value_e * effective < POPULATED
    log_volume = smooth.log_volume.where(tail_e, logarithm(volume))
    log_temperature = log_volume.minus(smooth.log)
    states = int(count_be.sum())
    return Parts(volume, smooth, log_temperature, populated_e, effective, states, blocks)


def checked_counts(counts: StateCounts, edges_e: Array) -> tuple[Array, Array, Blocks]:
    """Counts and states at 0 of the non-empty blocks, as float64, and these blocks."""
    count_be, zero_b, squared_b = (np.asarray(part, dtype=np.float64) for part in counts)
    if count_be.shape != (len(zero_b), len(edges_e)):
        raise ValueError(
            f"counts of shape {count_be.shape} and {zero_b.shape} do not match "
            f"a grid of {len(edges_e)} points"
        )
    if not (np.all(count_be >= 0) and np.all(zero_b >= 0)):
        raise ValueError("a count of states is negative or NaN")
    if not np.all(np.isin([-1.0, 0.0, 1.0], edges_e)) or not np.all(np.diff(edges_e) > 0):
        raise ValueError("the energy grid must ascend from -1 to 1 and contain 0")
    if np.any(zero_b > count_be[:, np.searchsorted(edges_e, 0.0)]):
        raise ValueError("more states at energy 0 than in the cell that ends there")
    states_b = count_be.sum(axis=1)
    if not np.all((states_b <= squared_b) & (squared_b <= states_b**2)):
        raise ValueError("the squares of documents' states do not match the states of their block")
    full_b = states_b > 0
    if not full_b.any():
        raise ValueError("no states: every count is 0")
    if full_b.sum() < 2:
        raise ValueError(
            "all states are in one block of documents; an error bar needs two: take more documents"
        )
    count_be = count_be[full_b]
    return count_be, zero_b[full_b], Blocks.of_counts(count_be, squared_b[full_b])


def logarithm(estimate: Estimate) -> Estimate:
    """ln of a curve; NaN where it is 0."""
    positive_e = np.where(estimate.value_e > 0, estimate.value_e, np.nan)
    return Estimate(np.log(positive_e), estimate.error_eu / positive_e[:, None])


def _reciprocal(slope: Curve) -> Curve:
    """1/value with bounds, which are NaN where they would enclose infinity."""
    inverse = slope.each(lambda part_e: 1 / np.where(part_e == 0, np.nan, part_e))
    away_e = slope.low * slope.high > 0
    band_away_e = slope.band_low * slope.band_high > 0
    return Curve(
        inverse.value,
        np.where(away_e, inverse.high, np.nan),
        np.where(away_e, inverse.low, np.nan),
        np.where(band_away_e, inverse.band_high, np.nan),
        np.where(band_away_e, inverse.band_low, np.nan),
    )


def _entropy(volume: Curve, smooth: Curve) -> Curve:
    """ln Ω, and below the lowest state that of the smooth density."""
    log = volume.each(lambda part_e: np.log(np.where(part_e > 0, part_e, np.nan)))
    parts = (np.where(volume.value > 0, a, b) for a, b in zip(log, smooth, strict=True))
    return Curve(*parts)
