"""Two ensembles side by side: differences of curves, distances of distributions, and wells.

Ensembles of the same documents (two layers, two models) share their blocks: what a document does
to both cancels in a difference, and labels are permuted within blocks. Ensembles of different
documents are independent. `paired` says which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .block_errors import Curve, ErrorBars, Estimate
from .curves import Parts, checked_counts, estimate, logarithm
from .energy_grid import StateCounts

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
    part_a, part_b = estimate(a, edges_e), estimate(b, edges_e)
    blocks = part_a.blocks if paired else part_a.blocks + part_b.blocks

    def minus(of_a: Estimate, of_b: Estimate) -> Estimate:
        return _minus(of_a, part_a, of_b, part_b, paired)

    entropy = minus(logarithm(part_a.volume), logarithm(part_b.volume))
    log_temperature = minus(part_a.log_temperature, part_b.log_temperature)
    temperature = minus(_exponential(part_a.log_temperature), _exponential(part_b.log_temperature))
    both_e = part_a.populated_e & part_b.populated_e
    sources = log_temperature.error_es.shape[1]
    bars = ErrorBars.resample(blocks, sources, resamples, confidence, both_e, rng)
    return Difference(
        np.array(edges_e, dtype=np.float64),
        bars(entropy), bars(temperature), bars(log_temperature),
    )  # fmt: skip


def check_pairs(a: StateCounts, b: StateCounts) -> None:
    """Refuse ensembles that cannot be of the same documents."""
    if not np.array_equal(a.counts_be.sum(axis=1) > 0, b.counts_be.sum(axis=1) > 0):
        raise ValueError(
            "paired ensembles must fill the same blocks of documents; compare them unpaired"
        )


def _exponential(log: Estimate) -> Estimate:
    value_e = np.exp(log.value_e)
    return Estimate(value_e, log.error_es * value_e[:, None])


def _minus(of_a: Estimate, a: Parts, of_b: Estimate, b: Parts, paired: bool) -> Estimate:
    """a − b: blocks first, shared or one after the other, then each one's own smoothing modes."""
    block_a, mode_a = np.split(of_a.error_es, [a.blocks], axis=1)
    block_b, mode_b = np.split(of_b.error_es, [b.blocks], axis=1)
    blocks = [block_a - block_b] if paired else [block_a, -block_b]
    return Estimate(of_a.value_e - of_b.value_e, np.hstack([*blocks, mode_a, -mode_b]))


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
    count_a, count_b = checked_counts(a, edges_e)[0], checked_counts(b, edges_e)[0]
    pool_be = np.cumsum(np.vstack([count_a, count_b]), axis=1)
    in_a_b = np.arange(len(pool_be)) < len(count_a)
    if paired:
        swap_rb = rng.random((permutations, len(count_a))) < 0.5
        label_rb = np.hstack([~swap_rb, swap_rb])
    else:
        label_rb = rng.permuted(np.tile(in_a_b, (permutations, 1)), axis=1)
    label_rb = np.vstack([in_a_b, label_rb]).astype(np.float64)
    volume_a, volume_b = (
        sums_re / sums_re[:, -1:] for sums_re in (label_rb @ pool_be, (1 - label_rb) @ pool_be)
    )
    apart_re = np.abs(volume_a - volume_b)
    area_r = apart_re[:, :-1] @ np.diff(edges_e)
    highest_r = apart_re.max(axis=1)
    return Distance(float(area_r[0]), float(highest_r[0]), _p_value(area_r), _p_value(highest_r))


def _p_value(statistic_r: Array) -> float:
    """Share of values at least as large as the first, which is the observed one."""
    return float(np.mean(statistic_r >= statistic_r[0] * (1 - 1e-12)))


class Well(NamedTuple):
    """The well of states at negative energies, each number as (value, low, high).

    mass : Ω(0⁻), share of states that would rather stutter.
    deep_mass : Ω(−1/2).
    depth : energy at which Ω reaches `level`, probability; how low the ensemble reaches.
    width : energy between the lower and the upper quartile of the states of the well, probability.
    """

    mass: tuple[float, float, float]
    deep_mass: tuple[float, float, float]
    depth: tuple[float, float, float]
    width: tuple[float, float, float]


def describe_wells(
    counts_l: Sequence[StateCounts],
    edges_e: Array,
    rng: np.random.Generator,
    level: float = 1e-3,
    resamples: int = 400,
    confidence: float = 0.95,
) -> tuple[list[Well], Array]:
    """Wells of the layers of one ensemble, and how surely each layer's is the deepest.

    Parameters
    ----------
    counts_l : the layers' counts, of the same documents.
    level : the Ω at which depth is read.
    resamples : resamples of the blocks, common to all layers.

    Returns
    -------
    The wells by layer, with percentile intervals; and (layers,) the share of resamples in which
    depth is lowest at that layer. The well is deepest at the layer of the largest share.
    """
    for counts in counts_l[1:]:
        check_pairs(counts_l[0], counts)
    blocks = len(checked_counts(counts_l[0], edges_e)[0])
    drawn_rb = rng.multinomial(blocks, np.full(blocks, 1 / blocks), size=resamples)
    weight_rb = np.vstack([np.ones(blocks), drawn_rb])
    numbers_lnr = np.array([_numbers(c, edges_e, weight_rb, level) for c in counts_l])
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    low_ln, high_ln = np.nanquantile(numbers_lnr[:, :, 1:], tails, axis=2)
    three_lni = np.stack([numbers_lnr[:, :, 0], low_ln, high_ln], axis=2)
    wells = [Well(*map(_interval, three_ni)) for three_ni in three_lni]
    deepest_r = np.argmin(numbers_lnr[:, 2, 1:], axis=0)
    return wells, np.bincount(deepest_r, minlength=len(counts_l)) / resamples


def _interval(three_i: Array) -> tuple[float, float, float]:
    value, low, high = map(float, three_i)
    return value, low, high


def _numbers(counts: StateCounts, edges_e: Array, weight_rb: Array, level: float) -> Array:
    """(4, resamples) the numbers of `Well`."""
    count_be, zero_b = checked_counts(counts, edges_e)
    zero = int(np.searchsorted(edges_e, 0.0))
    cumulated_re = weight_rb @ np.cumsum(count_be, axis=1)
    states_r = cumulated_re[:, -1]
    below_re = cumulated_re[:, : zero + 1].copy()
    below_re[:, -1] -= weight_rb @ zero_b
    well_r = below_re[:, -1]
    lower_r, upper_r = (_quantile(below_re, share * well_r, edges_e) for share in (0.25, 0.75))
    return np.array(
        [
            well_r / states_r,
            below_re[:, np.searchsorted(edges_e, -0.5)] / states_r,
            _quantile(cumulated_re, level * states_r, edges_e),
            np.where(well_r > 0, upper_r - lower_r, np.nan),
        ]
    )


def _quantile(cumulated_re: Array, wanted_r: Array, edges_e: Array) -> Array:
    """Energy at which each row first reaches its wanted count, interpolated within the cell."""
    edge_r = np.argmax(cumulated_re >= wanted_r[:, None], axis=1)
    row = np.arange(len(cumulated_re))
    before_r = np.where(edge_r > 0, cumulated_re[row, np.maximum(edge_r - 1, 0)], 0.0)
    inside_r = cumulated_re[row, edge_r] - before_r
    part_r = np.divide(
        wanted_r - before_r, inside_r, out=np.ones_like(wanted_r), where=inside_r > 0
    )
    low_r = edges_e[np.maximum(edge_r - 1, 0)]
    energy_r: Array = low_r + part_r * (edges_e[edge_r] - low_r)
    return energy_r
