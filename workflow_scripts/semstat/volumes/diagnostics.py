"""Whether walkers moved far enough: tests of nested sampling by order statistics."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .trace import Trace

Array = NDArray[np.float64]


class Diagnostics(NamedTuple):
    """Numbers that say of each run whether its copies are distributed as they should be.

    insertion : standard normal if they are: whether copies come to be too high (above 0) or too low
        among the walkers that stayed. Blind to copies that did not move.
    memory : correlation of a copy's rank with its origin's, 0 if that is forgotten, 1 if it did
        not move: the autocorrelation of the energy after all moves of a step.
    overlap : mean overlap of a copy with its origin, 0 if that is forgotten.
    """

    insertion: Array
    memory: Array
    overlap: Array


def diagnose(trace: Trace) -> Diagnostics:
    """The diagnostics of each run, each (runs,); NaN of a run without a step.

    Insertion indices (Fowlie, Handley, Su, arXiv:2006.03371) of copies that come at one step are
    not independent, but their sum is Wilcoxon's: with c copies among n walkers that stayed, its
    mean is c n/2 and its variance c n (c + n + 1)/12, and steps are independent.
    """
    settings = trace.settings
    copies, stayed = settings.culled, settings.walkers - settings.culled
    rows = []
    for rank_z, parent_z, overlap_z in zip(
        trace.rank_rz, trace.parent_rz, trace.overlap_rz, strict=True
    ):
        real_z = rank_z >= 0
        if not real_z.any():
            rows.append((np.nan,) * 3)
            continue
        rank_z = rank_z[real_z]
        sums_t = rank_z.reshape(-1, copies).sum(axis=1) - copies * stayed / 2
        spread = np.sqrt(len(sums_t) * copies * stayed * (copies + stayed + 1) / 12)
        memory = _correlation(parent_z[real_z] - (stayed - 1) / 2, rank_z - stayed / 2)
        rows.append((sums_t.sum() / spread, memory, overlap_z[real_z].mean()))
    return Diagnostics(*np.array(rows).T)


def _correlation(first_z: Array, second_z: Array) -> float:
    """Correlation of what is 0 on average; 1 of what has no spread."""
    spread = np.sqrt((first_z**2).sum() * (second_z**2).sum())
    return float((first_z * second_z).sum() / spread) if spread else 1.0
