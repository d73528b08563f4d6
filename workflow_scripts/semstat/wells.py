"""The repetition well of one ensemble at one layer in a few numbers, each with its interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .block_errors import Curve, ErrorBars, per_state, state_inefficiency
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
    lowest_energy : probability; the interval is that of the lowest energy of as many documents
        resampled, which cannot reach below the lowest one seen.
    below_zero : Ω(0⁻), share of states that would rather stutter.
    below_minus_0.1, below_minus_0.5 : Ω(−0.1), Ω(−0.5).
    stutters : share of states whose most probable next token is the last one, wrongly.
    at_zero : share of states with H = 0 exactly.
    """
    full_b = sums.states_b > 0
    states_b = sums.states_b[full_b].astype(np.float64)
    counts_be = sums.counts.counts_be[full_b].astype(np.float64)
    at_zero_b = sums.counts.at_zero_b[full_b]
    below_be = np.cumsum(counts_be, axis=1)
    bars = ErrorBars.pointwise(len(states_b), confidence)

    def below(energy: float) -> Array:
        of_all_b: Array = below_be[:, np.searchsorted(edges_e, energy, side="right") - 1]
        return of_all_b

    count_b = {
        "below_zero": below(0.0) - at_zero_b,
        **{f"below_minus_{depth}": below(-depth) for depth in DEPTHS},
        "stutters": sums.stutters_b[full_b],
        "at_zero": at_zero_b,
    }
    effective = states_b.sum() / state_inefficiency(counts_be)
    shares = bars.share(per_state(np.column_stack([*count_b.values()]), states_b), effective)
    mean = bars(per_state(sums.energy_sum_b[full_b, None], states_b))
    return {
        "mean_energy": _intervals(mean)[0],
        "lowest_energy": lowest_interval(sums.energy_min_b[full_b], confidence),
        **dict(zip(count_b, _intervals(shares), strict=True)),
    }


def _intervals(curve: Curve) -> list[Interval]:
    """The numbers of a curve that is no curve, one by one."""
    return list(zip(*(part.tolist() for part in curve[:3]), strict=True))


def lowest_interval(lowest_b: Array, confidence: float) -> Interval:
    """The lowest of the blocks' lowest energies, and that of as many blocks resampled.

    A resample of B blocks misses the k lowest with probability (1 − k/B)^B.
    """
    ordered_b = np.sort(lowest_b)
    missed_b = (1 - np.arange(1, len(ordered_b) + 1) / len(ordered_b)) ** len(ordered_b)
    high = ordered_b[np.argmax(missed_b <= 1 - confidence)]
    return float(ordered_b[0]), float(ordered_b[0]), float(high)
