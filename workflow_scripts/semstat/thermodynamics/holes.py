"""Regions of energy without states, between regions that have them."""

from __future__ import annotations

from typing import NamedTuple

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


def states_beside(count_e: Array, hole_e: NDArray[np.bool_]) -> Array:
    """(edges,) effective states down to the next hole or −1, or up to the next or 1, if fewer.

    Parameters
    ----------
    count_e : (edges,) effective states in (E_{e−1}, E_e].
    hole_e : (edges,) as `holes` tells; 0 there.
    """
    total_e = np.cumsum(count_e)
    below_e = total_e - np.maximum.accumulate(np.where(hole_e, total_e, 0.0))
    above_e = np.minimum.accumulate(np.where(hole_e, total_e, total_e[-1])[::-1])[::-1] - total_e
    beside_e: Array = np.minimum(below_e, above_e)
    return beside_e


class Tail(NamedTuple):
    """Energies beyond well-populated ones, where a density is extrapolated.

    begin, end : from where to where, begin excluded; probability.
    """

    begin: float
    end: float

    @property
    def into_hole(self) -> bool:
        """Whether it ends at a hole, and not at 0 or ±1."""
        return abs(self.end) not in (0.0, 1.0)


def tails(populated_e: NDArray[np.bool_], hole_e: NDArray[np.bool_], edges_e: Array) -> list[Tail]:
    """Below and above each run of well-populated energies, to the next hole or to −1 or 1."""
    change_e = np.diff(np.concatenate([[0], populated_e.astype(int), [0]]))
    first_r, last_r = np.flatnonzero(change_e > 0), np.flatnonzero(change_e < 0) - 1
    if not len(first_r):  # as if well-populated nowhere but at the ends
        return [Tail(float(edges_e[-1]), -1.0), Tail(float(edges_e[0]), 1.0)]
    end_h = np.concatenate([[-1.0], edges_e[hole_e], [1.0]])
    below_r = end_h[np.searchsorted(end_h, edges_e[first_r], side="right") - 1]
    above_r = end_h[np.searchsorted(end_h, edges_e[last_r], side="left")]
    down = [Tail(*pair) for pair in zip(edges_e[first_r], below_r, strict=True)]
    up = [Tail(*pair) for pair in zip(edges_e[last_r], above_r, strict=True)]
    return down + up


def inner_tails(count_e: Array, edges_e: Array, least: float) -> list[Tail]:
    """On either side of 0, from where so many effective states are nearer to it, down to 0."""
    zero = int(np.searchsorted(edges_e, 0.0))
    above = zero + 1 + np.searchsorted(np.cumsum(count_e[zero + 1 :]), least)
    below = zero - 1 - np.searchsorted(np.cumsum(count_e[zero:0:-1]), least)
    return [Tail(float(edges_e[e]), 0.0) for e in (below, above) if 0 < e < len(edges_e) - 1]
