"""The repetition well of one ensemble at one layer in a few numbers, each with its interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import t as student

from .block_errors import block_residuals, state_inefficiency
from .states import BlockSums

Array = NDArray[np.float64]
Interval = tuple[float, float, float]

DEPTHS = (0.1, 0.5)
"""Energies −depth below which the mass of the well is tabulated."""


def describe_well(sums: BlockSums, edges_e: Array, confidence: float) -> dict[str, Interval]:
    """Numbers that describe a repetition well, as (value, low, high).

    Blocks of documents are the unit of error throughout. Shares have intervals symmetric in their
    logit, or the exact binomial bound at 0 and 1, for as many states as the blocks are worth.

    Parameters
    ----------
    sums : of one ensemble at one layer, with at least two non-empty blocks.
    edges_e : (edges,) the energy grid.

    Returns
    -------
    mean_energy : ⟨H⟩, probability; Student interval.
    below_zero : Ω(0⁻), share of states that would rather stutter.
    below_minus_0.1, below_minus_0.5 : Ω(−0.1), Ω(−0.5).
    lowest_energy : probability; the interval is that of the lowest energy of as many documents
        resampled, which cannot reach below the lowest one seen.
    stutters : share of states whose most probable next token is the last one, wrongly.
    at_zero : share of states with H = 0 exactly.
    """
    full_b = sums.states_b > 0
    states_b = sums.states_b[full_b].astype(np.float64)
    counts_be = sums.counts.counts_be[full_b].astype(np.float64)
    at_zero_b = sums.counts.at_zero_b[full_b]
    effective = states_b.sum() / state_inefficiency(counts_be)

    def share(count_b: NDArray[np.integer] | Array) -> Interval:
        return share_interval(np.asarray(count_b, np.float64), states_b, effective, confidence)

    def below(energy: float) -> Array:
        cumulated_b: Array = counts_be[:, edges_e <= energy].sum(axis=1)
        return cumulated_b

    return {
        "mean_energy": mean_interval(sums.energy_sum_b[full_b], states_b, confidence),
        "below_zero": share(below(0.0) - at_zero_b),
        **{f"below_minus_{depth}": share(below(-depth)) for depth in DEPTHS},
        "lowest_energy": lowest_interval(sums.energy_min_b[full_b], confidence),
        "stutters": share(sums.stutters_b[full_b]),
        "at_zero": share(at_zero_b),
    }


def mean_interval(sum_b: Array, states_b: Array, confidence: float) -> Interval:
    """A mean over states, with a Student interval from the scatter of blocks."""
    mean = sum_b.sum() / states_b.sum()
    half = _t(len(states_b), confidence) * _error(sum_b, states_b)
    return float(mean), float(mean - half), float(mean + half)


def share_interval(
    count_b: Array, states_b: Array, effective: float, confidence: float
) -> Interval:
    """A share of states; at 0 or 1 the exact binomial bound for `effective` states."""
    share = count_b.sum() / states_b.sum()
    tail = ((1 - confidence) / 2) ** (1 / effective)
    if share == 0:
        return 0.0, 0.0, float(1 - tail)
    if share == 1:
        return 1.0, float(tail), 1.0
    half = _t(len(states_b), confidence) * _error(count_b, states_b) / (share * (1 - share))
    low, high = expit(logit(share) + np.array([-half, half]))
    return float(share), float(low), float(high)


def lowest_interval(lowest_b: Array, confidence: float) -> Interval:
    """The lowest of the blocks' lowest energies, and that of as many blocks resampled.

    A resample of B blocks misses the k lowest with probability (1 − k/B)^B.
    """
    ordered_b = np.sort(lowest_b)
    missed_b = (1 - np.arange(1, len(ordered_b) + 1) / len(ordered_b)) ** len(ordered_b)
    high = ordered_b[np.argmax(missed_b <= 1 - confidence)]
    return float(ordered_b[0]), float(ordered_b[0]), float(high)


def _error(count_b: Array, states_b: Array) -> float:
    """Standard error of Σ count / Σ states between blocks."""
    residual_b = block_residuals(count_b[:, None], states_b)[0]
    return float(np.linalg.norm(residual_b) / states_b.sum())


def _t(blocks: int, confidence: float) -> float:
    return float(student.ppf((1 + confidence) / 2, blocks - 1))
