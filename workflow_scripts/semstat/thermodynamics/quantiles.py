"""Energies that a share of the states is below, with intervals that hold with few documents.

An interval of a quantile is read off that of the share (Woodruff, J. Am. Stat. Assoc. 47, 635
(1952)): it is of the energies at which the interval of Ω encloses the share asked for. Resampled
blocks could not reach below their lowest state; this does where Ω may be as large there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..statistics.block_errors import ErrorBars, Estimate
from ..statistics.blocks import Blocks
from .states import BlockSums

Array = NDArray[np.float64]


class Cumulated(NamedTuple):
    """States of blocks up to an energy. They are known at the grid's edges, at the block's lowest
    state and on either side of the atom at 0, and a straight line in between.

    energy_x : (points,) ascending; the edges, and the lowest energies of all blocks.
    before_bx, upto_bx : (blocks, points) states below, and up to, each of them.
    documents_b : (blocks,) documents of equal length that a block is worth.
    edges_e : the grid.
    """

    energy_x: Array
    before_bx: Array
    upto_bx: Array
    documents_b: Array
    edges_e: Array

    @classmethod
    def of(cls, sums: BlockSums, edges_e: Array) -> Cumulated:
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
        documents_b = sums.states_b[full_b].astype(np.float64) ** 2 / sums.counts.squared_b[full_b]
        return cls(energy_x, before_bx, upto_bx, documents_b, edges_e)

    def below_zero(self) -> Cumulated:
        """The states below 0 alone, in the blocks that have any."""
        zero = int(np.searchsorted(self.energy_x, 0.0))
        states_b = self.before_bx[:, zero]
        well_b = states_b > 0
        # The line to 0 is to all states there, the atom among them.
        before_bx, upto_bx = (
            np.minimum(part_bx[:, : zero + 1], states_b[:, None])[well_b]
            for part_bx in (self.before_bx, self.upto_bx)
        )
        edges_e = self.edges_e[self.edges_e <= 0]
        return Cumulated(
            self.energy_x[: zero + 1], before_bx, upto_bx, self.documents_b[well_b], edges_e
        )

    def energy_at(self, share: float, weight_rb: Array) -> Array:
        """(resamples,) energy at which this share of the states of weighted blocks is reached."""
        before_rx, upto_rx = weight_rb @ self.before_bx, weight_rb @ self.upto_bx
        wanted_r = share * upto_rx[:, -1]
        row, end_r = np.arange(len(wanted_r)), np.argmax(upto_rx >= wanted_r[:, None], axis=1)
        start_r = np.maximum(end_r - 1, 0)
        missing_r = wanted_r - upto_rx[row, start_r]
        gained_r = before_rx[row, end_r] - upto_rx[row, start_r]
        # Where the line stops short of them, they are in the step at its end.
        part_r = np.divide(missing_r, gained_r, np.ones_like(missing_r), where=gained_r > missing_r)
        low_r, high_r = self.energy_x[start_r], self.energy_x[end_r]
        energy_r: Array = np.maximum(high_r - (1 - part_r) * (high_r - low_r), low_r)
        return energy_r

    def quantile(self, share: float) -> float:
        """Energy at which this share of all states is reached."""
        return float(self.energy_at(share, np.ones((1, len(self.upto_bx))))[0])

    def shares(self, confidence: float) -> Shares:
        """Ω on either side of each point, with its interval; of two blocks or more."""
        count_bx = np.diff(self.upto_bx, axis=1, prepend=0.0)
        blocks = Blocks.of_counts(count_bx, self.upto_bx[:, -1] ** 2 / self.documents_b)
        sides_by = np.stack([self.before_bx, self.upto_bx], axis=2).reshape(len(count_bx), -1)
        volume = blocks.per_state(sides_by)
        bounds = ErrorBars.pointwise(blocks.freedom, confidence).share(
            volume, blocks.share_deviation
        )
        return Shares(np.repeat(self.energy_x, 2), volume, bounds.low, bounds.high, self.edges_e)


class Shares(NamedTuple):
    """Shares of states up to an energy, and their intervals.

    energy_y : (sides,) each point twice: below it, and up to it.
    volume : Ω there.
    low_y, high_y : (sides,) its interval.
    edges_e : the grid.
    """

    energy_y: Array
    volume: Estimate
    low_y: Array
    high_y: Array
    edges_e: Array

    def bounds(self, share: float) -> tuple[float, float]:
        """Energies between which Ω may reach a share; at most, the first and last points.

        Where a cell of the grid holds more than such a share, they are the ends of the cell.
        """
        first = self._reached(share, np.maximum.accumulate(self.high_y))
        last = self._reached(share, np.minimum.accumulate(self.low_y[::-1])[::-1])
        return self._whole_cell(share, first)[0], self._whole_cell(share, last)[1]

    def _whole_cell(self, share: float, energy: float) -> tuple[float, float]:
        """Ends of the cell where it holds too much to be taken for even; else the energy itself."""
        end = int(np.searchsorted(self.edges_e, energy))
        if end == 0 or energy == self.edges_e[end]:
            return energy, energy
        cell = self.edges_e[end - 1], self.edges_e[end]
        start_y, end_y = np.searchsorted(self.energy_y, cell, side="right") - 1
        held = self.volume.value_e[end_y] - self.volume.value_e[start_y]
        return cell if held > min(share, 1 - share) else (energy, energy)

    def _reached(self, share: float, bound_y: Array) -> float:
        """Where an ascending bound reaches a share, on straight lines between the points."""
        end = int(np.searchsorted(bound_y, share))
        if end in (0, len(bound_y)):
            return float(self.energy_y[min(end, len(bound_y) - 1)])
        line = slice(end - 1, end + 1)
        return float(np.interp(share, bound_y[line], self.energy_y[line]))

    def correlation(self, shares: tuple[float, float]) -> float:
        """That of the errors of Ω where it reaches two shares."""
        one_u, other_u = (
            self.volume.error_eu[np.argmax(self.volume.value_e >= share)] for share in shares
        )
        scale = np.linalg.norm(one_u) * np.linalg.norm(other_u)
        return float(one_u @ other_u / scale) if scale > 0 else 0.0
