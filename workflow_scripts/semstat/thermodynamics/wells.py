"""The repetition wells of an ensemble's layers in a few numbers, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..statistics.block_errors import ErrorBars
from ..statistics.blocks import Blocks
from ..statistics.curve import Interval
from .states import BlockSums

Array = NDArray[np.float64]

BELOW = (0.1, 0.5)
"""Sizes of the negative energies below which the mass of the well is tabulated."""

LEVEL = 1e-3
"""Ω at which the depth of a well is read."""


def describe_wells(
    sums_l: Sequence[BlockSums],
    edges_e: Array,
    rng: np.random.Generator,
    resamples: int = 400,
    confidence: float = 0.95,
) -> tuple[list[dict[str, Interval[float]]], Array]:
    """Numbers that describe the layers' wells, and how surely each one is the deepest.

    Blocks of documents are the unit of error throughout. Shares have intervals symmetric in their
    logit, or the exact binomial bound at 0 and 1, for as many states as the blocks are worth.

    Parameters
    ----------
    sums_l : of one ensemble at each layer, so of the same documents; two non-empty blocks or more.
    edges_e : (edges,) the energy grid.
    rng, resamples : for the blocks drawn again, in common to all layers.
    confidence : coverage of each interval.

    Returns
    -------
    By layer, as (value, low, high):

    mean_energy : ⟨H⟩, probability; Student interval.
    lowest_energy : probability; the interval is that of the lowest energy of as many documents
        resampled, which cannot reach below the lowest one seen.
    below_zero : Ω(0⁻), share of states that would rather stutter.
    below_minus_0.1, below_minus_0.5 : Ω(−0.1), Ω(−0.5).
    stutters : share of states whose most probable next token is the last one, wrongly.
    at_zero : share of states with H = 0 exactly.
    depth : energy at which Ω reaches `LEVEL`, probability, not below the lowest; NaN for fewer
        than 1/`LEVEL` states. Percentiles of the resamples.
    width : energy between the quartiles of the states below 0, probability; NaN if there is none or
        the lower one is nearer to 0 than the grid resolves. Percentiles of the resamples.

    And (layers,) the share of resamples in which depth is lowest at that layer; NaN where it is.

    Raises
    ------
    ValueError
        If the layers have different non-empty blocks.
    """
    full_b = sums_l[0].states_b > 0
    if any(not np.array_equal(sums.states_b > 0, full_b) for sums in sums_l):
        raise ValueError("the layers of one ensemble must be of the same documents")
    blocks = int(full_b.sum())
    drawn_rb = rng.multinomial(blocks, np.full(blocks, 1 / blocks), size=resamples)
    weight_rb = np.vstack([np.ones(blocks), drawn_rb])
    wells, depth_lr = [], []
    for sums in sums_l:
        depth_r, width_r = _depth_and_width(sums, edges_e, weight_rb)
        shape = {"depth": depth_r, "width": width_r}
        wells.append(
            _moments_and_shares(sums, edges_e, confidence)
            | {name: _percentiles(value_r, confidence) for name, value_r in shape.items()}
        )
        depth_lr.append(depth_r[1:])
    deepest_l = np.bincount(np.argmin(depth_lr, axis=0), minlength=len(sums_l)) / resamples
    return wells, np.where(np.isnan(depth_lr).any(axis=1), np.nan, deepest_l)


def _moments_and_shares(
    sums: BlockSums, edges_e: Array, confidence: float
) -> dict[str, Interval[float]]:
    full_b = sums.states_b > 0
    counts_be = sums.counts.counts_be[full_b].astype(np.float64)
    at_zero_b = sums.counts.at_zero_b[full_b]
    below_be = np.cumsum(counts_be, axis=1)
    blocks = Blocks.of_counts(counts_be, sums.counts.squared_b[full_b].astype(np.float64))
    bars = ErrorBars.pointwise(blocks.freedom, confidence)

    def below(energy: float) -> Array:
        of_all_b: Array = below_be[:, np.searchsorted(edges_e, energy, side="right") - 1]
        return of_all_b

    count_b = {
        "below_zero": below(0.0) - at_zero_b,
        **{f"below_minus_{size}": below(-size) for size in BELOW},
        "stutters": sums.stutters_b[full_b],
        "at_zero": at_zero_b,
    }
    effective = float(counts_be.sum()) / blocks.state_inefficiency(counts_be)
    shares = bars.share(blocks.per_state(np.column_stack([*count_b.values()])), effective)
    mean = bars(blocks.per_state(sums.energy_sum_b[full_b, None]))
    return {
        **mean.intervals(["mean_energy"]),
        "lowest_energy": lowest_interval(sums.energy_min_b[full_b], confidence),
        **shares.intervals(count_b),
    }


def lowest_interval(lowest_b: Array, confidence: float) -> Interval[float]:
    """The lowest of the blocks' lowest energies, and that of as many blocks resampled.

    A resample of B blocks misses the k lowest with probability (1 − k/B)^B.
    """
    ordered_b = np.sort(lowest_b)
    missed_b = (1 - np.arange(1, len(ordered_b) + 1) / len(ordered_b)) ** len(ordered_b)
    high = ordered_b[np.argmax(missed_b <= 1 - confidence)]
    return Interval(float(ordered_b[0]), float(ordered_b[0]), float(high))


def _depth_and_width(sums: BlockSums, edges_e: Array, weight_rb: Array) -> tuple[Array, Array]:
    """(resamples,) depth and width of the well, the first from the states as they are."""
    known = _Cumulated.of(sums, edges_e, weight_rb)
    states_r = known.upto_rx[:, -1]
    well_r = known.before_rx[:, np.searchsorted(known.energy_x, 0.0)]
    depth_r = known.energy_at(LEVEL * states_r)
    lower_r, upper_r = (known.energy_at(share * well_r) for share in (0.25, 0.75))
    # In the cell next to 0 the states may be a millionth of it apart: a line there tells nothing.
    resolved_r = (well_r > 0) & (lower_r <= edges_e[np.searchsorted(edges_e, 0.0) - 1])
    return (
        np.where(LEVEL * states_r[0] >= 1, depth_r, np.nan),
        np.where(resolved_r, np.maximum(upper_r - lower_r, 0.0), np.nan),
    )


class _Cumulated(NamedTuple):
    """States of resampled blocks up to an energy. A block's are known at the grid's edges, at its
    lowest state and on either side of the atom at 0, and a straight line in between.

    energy_x : (points,) ascending; the edges, and the lowest energies of all blocks.
    before_rx, upto_rx : (resamples, points) states below, and up to, each of them.
    """

    energy_x: Array
    before_rx: Array
    upto_rx: Array

    @classmethod
    def of(cls, sums: BlockSums, edges_e: Array, weight_rb: Array) -> _Cumulated:
        full_b = sums.states_b > 0
        lowest_b, counts_be = sums.energy_min_b[full_b], sums.counts.counts_be[full_b]
        energy_x = np.union1d(edges_e, lowest_b)
        upto_bx = np.empty((len(lowest_b), len(energy_x)))
        for block, (lowest, upto_e) in enumerate(
            zip(lowest_b, np.cumsum(counts_be, axis=1), strict=True)
        ):
            above_e = edges_e > lowest
            # One state at the lowest energy, or as many as are known if that is an edge.
            first = max(1, upto_e[np.searchsorted(edges_e, lowest, side="right") - 1])
            points = np.append(lowest, edges_e[above_e]), np.append(first, upto_e[above_e])
            upto_bx[block] = np.interp(energy_x, *points, left=0.0)
        before_bx = np.where(energy_x > lowest_b[:, None], upto_bx, 0.0)
        at_zero = np.searchsorted(energy_x, 0.0)
        before_bx[:, at_zero] = upto_bx[:, at_zero] - sums.counts.at_zero_b[full_b]
        return cls(energy_x, weight_rb @ before_bx, weight_rb @ upto_bx)

    def energy_at(self, wanted_r: Array) -> Array:
        """(resamples,) energy at which so many states are reached."""
        row, end_r = np.arange(len(wanted_r)), np.argmax(self.upto_rx >= wanted_r[:, None], axis=1)
        start_r = np.maximum(end_r - 1, 0)
        missing_r = wanted_r - self.upto_rx[row, start_r]
        gained_r = self.before_rx[row, end_r] - self.upto_rx[row, start_r]
        # Where the line stops short of them, they are in the step at its end.
        part_r = np.divide(missing_r, gained_r, np.ones_like(missing_r), where=gained_r > missing_r)
        low_r, high_r = self.energy_x[start_r], self.energy_x[end_r]
        energy_r: Array = np.maximum(high_r - (1 - part_r) * (high_r - low_r), low_r)
        return energy_r


def _percentiles(value_r: Array, confidence: float) -> Interval[float]:
    """The first value, and the interval of the others; NaN where it is undefined."""
    if np.isnan(value_r[0]):
        return Interval(np.nan, np.nan, np.nan)
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    low, high = np.nanquantile(value_r[1:], tails)
    return Interval(float(value_r[0]), float(low), float(high))
