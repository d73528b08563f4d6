"""Two ensembles side by side: differences of curves, and distances of distributions.

Ensembles of the same documents (two layers, two models) share their blocks: what a document does
to both cancels in a difference, and labels are permuted within blocks. Ensembles of different
documents are independent. `paired` says which.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..statistics.block_errors import ErrorBars, Estimate
from ..statistics.curve import Curve
from ..thermodynamics.curves import Parts, checked_counts, estimate, logarithm
from ..thermodynamics.energy_grid import StateCounts

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """Curves of ensemble a minus those of b, each (edges,); NaN where either is undefined.

    entropy : S_a − S_b = ln(Ω_a/Ω_b); k_B.
    temperature : T_a − T_b, probability.
    log_temperature : ln(T_a/T_b); 1.
    """

    energy: Array
    entropy: Curve
    temperature: Curve
    log_temperature: Curve

    def columns(self) -> dict[str, Array]:
        """(edges,) columns by name: energy, entropy_difference, entropy_difference_low, …"""
        return {
            "energy": self.energy,
            **self.entropy.columns("entropy_difference"),
            **self.temperature.columns("temperature_difference"),
            **self.log_temperature.columns("log_temperature_ratio"),
        }


def difference(
    a: StateCounts,
    b: StateCounts,
    edges_e: Array,
    rng: np.random.Generator,
    paired: bool,
    resamples: int = 400,
    confidence: float = 0.95,
) -> Difference:
    """Difference of the curves of two ensembles, with pointwise intervals and simultaneous bands.

    Parameters
    ----------
    a, b : counts of the ensembles, as `curves.estimate_curves` takes them.
    edges_e : (edges,) the energy grid.
    paired : whether a block holds the same documents in both.

    Returns
    -------
    The differences. Bands are to hold where both ensembles are well populated.

    Raises
    ------
    ValueError
        As `estimate_curves` does, and if paired ensembles have different non-empty blocks.
    """
    if paired:
        check_pairs(a, b)
    parts_of_a, parts_of_b = estimate(a, edges_e), estimate(b, edges_e)
    both_e = parts_of_a.populated_e & parts_of_b.populated_e
    least = min(parts_of_a.blocks.freedom, parts_of_b.blocks.freedom)
    sources = parts_of_a.sources + parts_of_b.sources
    bars = ErrorBars.drawn(least, sources, resamples, confidence, both_e, rng)

    def minus(of_a: Estimate, of_b: Estimate) -> Curve:
        freedom_e = least if paired else _welch(of_a, parts_of_a, of_b, parts_of_b)
        apart = _minus(of_a, parts_of_a, of_b, parts_of_b, paired)
        return replace(bars, freedom=freedom_e)(apart)

    log_of_a, log_of_b = parts_of_a.log_temperature, parts_of_b.log_temperature
    return Difference(
        np.array(edges_e, dtype=np.float64),
        entropy=minus(logarithm(parts_of_a.volume), logarithm(parts_of_b.volume)),
        temperature=minus(_exponential(log_of_a), _exponential(log_of_b)),
        log_temperature=minus(log_of_a, log_of_b),
    )


def check_pairs(a: StateCounts, b: StateCounts) -> None:
    """Refuse ensembles that cannot be of the same documents."""
    if not np.array_equal(a.counts_be.sum(axis=1) > 0, b.counts_be.sum(axis=1) > 0):
        raise ValueError(
            "paired ensembles must fill the same blocks of documents; compare them unpaired"
        )


def _exponential(log: Estimate) -> Estimate:
    value_e = np.exp(log.value_e)
    return Estimate(value_e, log.error_eu * value_e[:, None])


def _welch(of_a: Estimate, a: Parts, of_b: Estimate, b: Parts) -> Array:
    """(edges,) degrees of freedom of a difference of independent estimates.

    Welch, Biometrika 34, 28 (1947), doi:10.1093/biomet/34.1-2.28.
    """
    square_of_a_e, square_of_b_e = of_a.deviation_e**2, of_b.deviation_e**2
    square_e = square_of_a_e**2 / a.blocks.freedom + square_of_b_e**2 / b.blocks.freedom
    least = min(a.blocks.freedom, b.blocks.freedom)
    freedom_e = np.full_like(square_e, least)
    np.divide((square_of_a_e + square_of_b_e) ** 2, square_e, out=freedom_e, where=square_e > 0)
    return freedom_e


def _minus(of_a: Estimate, a: Parts, of_b: Estimate, b: Parts, paired: bool) -> Estimate:
    """a − b: blocks first, shared or one after the other, then each one's own smoothing modes."""
    blocks_of_a, modes_of_a = np.split(of_a.error_eu, [len(a.blocks.states_b)], axis=1)
    blocks_of_b, modes_of_b = np.split(of_b.error_eu, [len(b.blocks.states_b)], axis=1)
    blocks = [blocks_of_a - blocks_of_b] if paired else [blocks_of_a, -blocks_of_b]
    return Estimate(of_a.value_e - of_b.value_e, np.hstack([*blocks, modes_of_a, -modes_of_b]))


class Distance(NamedTuple):
    """How far apart two energy distributions are, with p-values for their being the same.

    area : ∫ |Ω_a − Ω_b| dE, the Wasserstein distance; probability.
    kolmogorov_smirnov : max |Ω_a − Ω_b| over the grid points.
    area_p, kolmogorov_smirnov_p : share of permutations at least as far apart.
    """

    area: float
    kolmogorov_smirnov: float
    area_p: float
    kolmogorov_smirnov_p: float


def distance(
    a: StateCounts,
    b: StateCounts,
    edges_e: Array,
    rng: np.random.Generator,
    paired: bool,
    permutations: int = 999,
) -> Distance:
    """Distance of two ensembles, and a test by permuting whole blocks between them.

    Were the ensembles alike, a block might as well carry the other's label: paired blocks swap
    labels with probability 1/2, others are dealt anew.
    """
    if paired:
        check_pairs(a, b)
    of_a_be, of_b_be = checked_counts(a, edges_e)[0], checked_counts(b, edges_e)[0]
    pool_be = np.cumsum(np.vstack([of_a_be, of_b_be]), axis=1)
    in_a_b = np.arange(len(pool_be)) < len(of_a_be)
    if paired:
        swap_rb = rng.random((permutations, len(of_a_be))) < 0.5
        label_rb = np.hstack([~swap_rb, swap_rb])
    else:
        label_rb = rng.permuted(np.tile(in_a_b, (permutations, 1)), axis=1)
    label_rb = np.vstack([in_a_b, label_rb]).astype(np.float64)
    of_a_re, of_b_re = (
        sums_re / sums_re[:, -1:] for sums_re in (label_rb @ pool_be, (1 - label_rb) @ pool_be)
    )
    apart_re = np.abs(of_a_re - of_b_re)
    area_r = apart_re[:, :-1] @ np.diff(edges_e)
    highest_r = apart_re.max(axis=1)
    return Distance(float(area_r[0]), float(highest_r[0]), _p_value(area_r), _p_value(highest_r))


def _p_value(statistic_r: Array) -> float:
    """Share of values at least as large as the first, which is the observed one."""
    return float(np.mean(statistic_r >= statistic_r[0] * (1 - 1e-12)))
