"""The repetition wells of an ensemble's layers in a few numbers, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..statistics.block_errors import ErrorBars
from ..statistics.curve import Interval
from .curves import checked_counts
from .energy_grid import SMALLEST
from .quantiles import Cumulated
from .states import BlockSums

Array = NDArray[np.float64]

BELOW = (0.1, 0.5)
"""Sizes of the negative energies below which the mass of the well is tabulated."""

LEVEL = 1e-3
"""Ω at which the depth of a well is read."""

QUARTILES = (0.25, 0.75)

OF_INDEPENDENT = 1 / 3
"""Correlation of the shares below two quartiles, of independent states."""

UNKNOWN = Interval(np.nan, np.nan, np.nan)


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
    rng, resamples : for the blocks drawn again to tell the deepest, in common to all layers.
    confidence : coverage of each interval.

    Returns
    -------
    By layer, as (value, low, high):

    mean_energy : ⟨H⟩, probability; Student interval.
    lowest_energy : probability; the interval is that of the lowest energy of as many documents
        resampled, which cannot reach below the lowest one seen. It tells how far that one hangs on
        a single document, not what other documents would reach.
    below_zero : Ω(0⁻), share of states that would rather stutter.
    below_minus_0.1, below_minus_0.5 : Ω(−0.1), Ω(−0.5).
    stutters : share of states whose most probable next token is the last one, wrongly.
    at_zero : share of states with H = 0 exactly.
    depth : energy at which Ω reaches `LEVEL`, probability, not below the lowest; NaN for fewer
        than 1/`LEVEL` states. Its interval is that of the energies at which the interval of Ω
        encloses `LEVEL`, from −1 where that is so at the lowest state.
    width : energy between the quartiles of the states below 0, probability; NaN if there is none or
        the lower one is nearer to 0 than the grid resolves. Its interval is made of theirs; NaN if
        all these states are of one block.

    And (layers,) the share of resamples in which depth is lowest at that layer, shared where layers
    tie; NaN where depth is. Resamples draw blocks of any length with equal chance, as other texts
    would have other documents, and their lengths with them.

    Raises
    ------
    ValueError
        If the layers have different non-empty blocks.
    """
    full_b = sums_l[0].states_b > 0
    if any(not np.array_equal(sums.states_b > 0, full_b) for sums in sums_l):
        raise ValueError("the layers of one ensemble must be of the same documents")
    blocks = int(full_b.sum())
    weight_rb = rng.multinomial(blocks, np.full(blocks, 1 / blocks), size=resamples).astype(
        np.float64
    )
    wells, depth_lr = [], []
    for sums in sums_l:
        known = Cumulated.of(sums, edges_e)
        wells.append(
            _moments_and_shares(sums, edges_e, confidence)
            | {"depth": _depth(known, confidence)}
            | {"width": _width(known.below_zero(), confidence)}
        )
        depth_lr.append(known.energy_at(LEVEL, weight_rb))
    if np.isnan(wells[0]["depth"].value):
        return wells, np.full(len(sums_l), np.nan)
    lowest_lr = depth_lr == np.min(depth_lr, axis=0)
    return wells, np.mean(lowest_lr / lowest_lr.sum(axis=0), axis=1)


def _moments_and_shares(
    sums: BlockSums, edges_e: Array, confidence: float
) -> dict[str, Interval[float]]:
    full_b = sums.states_b > 0
    counts_be, at_zero_b, blocks = checked_counts(sums.counts, edges_e)
    below_be = np.cumsum(counts_be, axis=1)
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
    share = blocks.per_state(np.column_stack([*count_b.values()]))
    shares = bars.share(share, blocks.share_variances)
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


def _depth(known: Cumulated, confidence: float) -> Interval[float]:
    """Energy at which Ω reaches `LEVEL`."""
    if LEVEL * known.upto_bx[:, -1].sum() < 1:
        return UNKNOWN
    value = known.quantile(LEVEL)
    low, high = known.shares(confidence).bounds(LEVEL)
    return Interval(value, min(low, value), max(high, value))


def _width(known: Cumulated, confidence: float) -> Interval[float]:
    """Distance of the quartiles of the states below 0.

    Its interval is made of theirs, whose errors are as correlated as those of the shares: the
    method of variance estimates recovery (Zou & Donner, Stat. Med. 27, 1693 (2008)).
    """
    states_b = known.upto_bx[:, -1]
    quartile_q = np.array([known.quantile(share) for share in QUARTILES])
    # In the cell next to 0 the states may be a millionth of it apart: a line there tells nothing.
    if not states_b.sum() > 0 or quartile_q[0] > -SMALLEST:
        return UNKNOWN
    value = float(quartile_q[1] - quartile_q[0])
    if len(states_b) < 2:
        return Interval(value, np.nan, np.nan)
    shares = known.shares(confidence)
    bound_q = np.array([shares.bounds(share) for share in QUARTILES])
    (below_1, above_1), (below_3, above_3) = np.abs(bound_q - quartile_q[:, None])
    # A larger one would make the interval narrower than few documents warrant.
    correlation = min(shares.correlation(QUARTILES), OF_INDEPENDENT)

    def both(a: float, b: float) -> float:
        return float(np.sqrt(max(a**2 + b**2 - 2 * correlation * a * b, 0.0)))

    return Interval(value, max(value - both(below_3, above_1), 0.0), value + both(above_3, below_1))
