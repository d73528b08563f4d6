"""Regions of energy without states, between regions that have them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FEW = 3
"""Effective states, at most, in a hole."""

BESIDE = 20
"""Effective states on either side that say what density a hole lacks."""

MISSED = 25.0
"""Effective states that would have to lie in a hole: at most 3 then lie there once in 10⁷.

Set with the two above on the systems of `closed_forms` and the gaps of tests/thermodynamics.
"""


def holes(count_e: Array, edges_e: Array) -> NDArray[np.bool_]:
    """Grid points in or at the edge of a region that has next to no states, and should.

    A region with at most `FEW` states is a hole where a density between those on its two sides,
    each of the nearest `BESIDE` states, would put `MISSED` there. What ρ is in a hole is not known,
    only that it is low; a smooth curve through it would be a guess.

    Parameters
    ----------
    count_e : (edges,) effective states in (E_{e−1}, E_e].
    edges_e : (edges,) the energy grid.
    """
    total_e = np.cumsum(count_e)
    low_e = np.arange(len(edges_e))
    slack = 1e-9 * total_e[-1]
    high_e = np.searchsorted(total_e, total_e + FEW + slack, side="right") - 1
    left_e = np.searchsorted(total_e, total_e - BESIDE + slack, side="right") - 1
    right_e = np.searchsorted(total_e, total_e[high_e] + BESIDE - slack)
    region_e = np.flatnonzero((high_e > low_e) & (left_e >= 0) & (right_e < len(edges_e)))
    low, high, left, right = (e[region_e] for e in (low_e, high_e, left_e, right_e))
    density_left = (total_e[low] - total_e[left]) / (edges_e[low] - edges_e[left])
    density_right = (total_e[right] - total_e[high]) / (edges_e[right] - edges_e[high])
    missed = (edges_e[high] - edges_e[low]) * np.sqrt(density_left * density_right)
    found = missed >= MISSED
    change = np.zeros(len(edges_e) + 1)
    np.add.at(change, low[found], 1)
    np.add.at(change, high[found] + 1, -1)
    inside_e: NDArray[np.bool_] = np.cumsum(change)[:-1] > 0
    return inside_e
