"""Cubic B-splines for a log-density on the energy grid, in a coordinate in which it is tame."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

UNRESOLVED = 1e-6
"""Distance from 0 and from ±1 that the grid does not resolve; densities are not fitted there."""

LOGARITHMIC = 1e-9
"""Scale of a centre that is purely logarithmic wherever the grid resolves."""

BEND = 6.0
"""How much freer ln ρ is to curve where its coordinate bends: by e^(BEND/3) in deviation."""

BAND = 5
"""B-splines that overlap one cell: four, and one more where a knot lies inside it."""

ROW, COLUMN = np.triu_indices(BAND)
NODES, WEIGHTS = np.polynomial.legendre.leggauss(3)


class Coordinate(NamedTuple):
    """u(E) = asinh(E/c) + ln(1 + E) − ln(1 − E).

    Linear in E near 0, where |E| ≪ c, logarithmic in |E| beyond and in the distance from ±1. c = 1
    suits a density that is smooth through 0; c = LOGARITHMIC one like 1/|E|, which may jump at 0:
    its two sides are then fitted apart.
    """

    centre: float

    @property
    def split(self) -> bool:
        """Whether the two sides of 0 are fitted apart."""
        return self.centre <= LOGARITHMIC

    def of(self, energy: Array) -> Array:
        u: Array = np.arcsinh(energy / self.centre) + np.log1p(energy) - np.log1p(-energy)
        return u

    def slope(self, energy: Array) -> Array:
        """du/dE, 1/probability."""
        slope: Array = np.sum(self._terms(energy), axis=0)
        return slope

    def curvature(self, energy: Array) -> Array:
        """d²u/dE², 1/probability²."""
        centre, below, above = self._terms(energy)
        curvature: Array = -energy * centre**3 - below**2 + above**2
        return curvature

    def bend(self, energy: Array) -> Array:
        """Where u turns from one logarithm to another: 0 where one term of du/dE rules, up to 2/3.

        A density that is a power law on either side of such a place bends there.
        """
        term = np.stack(self._terms(energy))
        bend: Array = 1 - np.sum(term**2, axis=0) / np.sum(term, axis=0) ** 2
        return bend

    def turning(self, begin: float, u_a: Array) -> Array:
        """How far u leaves asinh(E/c) beyond an energy, where that term rules at the energy."""
        terms = self._terms(np.array(begin))
        rule = float(terms[0] / np.sum(terms, axis=0)) ** 2
        energy_a = energies(self, u_a)
        turned_a: Array = u_a - np.arcsinh(energy_a / self.centre)
        start = float(self.of(np.array(begin)) - np.arcsinh(begin / self.centre))
        return rule * (turned_a - start)

    def _terms(self, energy: Array) -> tuple[Array, Array, Array]:
        return 1 / np.hypot(energy, self.centre), 1 / (1 + energy), 1 / (1 - energy)


def energies(coordinate: Coordinate, u: Array) -> Array:
    """E(u), near enough to place a weight."""
    near = np.logspace(-7, np.log10(0.5), 200)
    positive = np.concatenate([near, 1 - near[-2::-1]])
    energy = np.concatenate([-positive[::-1], [0.0], positive])
    return np.asarray(np.interp(u, coordinate.of(energy), energy))


class Basis:
    """Cubic B-splines of u(E), one run of equidistant knots or one on either side of 0.

    The knots are as far apart as the widest cell, so a cell overlaps at most `BAND` splines.
    """

    def __init__(self, coordinate: Coordinate, low_j: Array, high_j: Array) -> None:
        self.coordinate = coordinate
        inner, outer = UNRESOLVED, 1 - UNRESOLVED
        runs = [(-outer, -inner), (inner, outer)] if coordinate.split else [(-outer, outer)]
        self.run_low, self.run_high = np.array(runs).T
        self.run_start = coordinate.of(self.run_low)
        self.step = float(np.max(coordinate.of(high_j) - coordinate.of(low_j))) * (1 + 1e-9)
        sizes = np.ceil((coordinate.of(self.run_high) - self.run_start) / self.step).astype(int) + 3
        self.run_offset = np.concatenate([[0], np.cumsum(sizes)])
        self.size = int(self.run_offset[-1])
        self.centre_a = np.concatenate(
            [
                u + self.step * np.arange(-1, n - 1)
                for u, n in zip(self.run_start, sizes, strict=True)
            ]
        )

        width_j = high_j - low_j
        energy_jq = low_j[:, None] + width_j[:, None] * (NODES + 1) / 2
        first_jq, value_jqa = self._local(energy_jq)
        self.first_j = np.minimum(first_jq[:, 0], self.size - BAND)
        self.value_jqa = np.zeros((*energy_jq.shape, BAND))
        shift_jq = first_jq - self.first_j[:, None]
        j, q = np.indices(shift_jq.shape)
        for k in range(4):
            self.value_jqa[j, q, shift_jq + k] = value_jqa[..., k]
        self.weight_jq = width_j[:, None] * WEIGHTS / 2
        self.index_ja = self.first_j[:, None] + np.arange(BAND)
        self.band_pairs = (BAND - 1 + ROW - COLUMN) * self.size + self.index_ja[:, COLUMN]

    def _local(self, energy: Array, order: int = 0) -> tuple[NDArray[np.int64], Array]:
        """Index of the first of four splines at each energy; their values or derivatives in E."""
        run = np.where(energy > 0, len(self.run_start) - 1, 0)
        resolved = np.clip(energy, self.run_low[run], self.run_high[run])
        place = (self.coordinate.of(resolved) - self.run_start[run]) / self.step
        last = self.run_offset[run + 1] - self.run_offset[run] - 4
        knot = np.clip(np.floor(place).astype(int), 0, last)
        t = (place - knot)[..., None]
        slope = self.coordinate.slope(resolved)[..., None]
        if order == 0:
            value = _cubic(t)
        elif order == 1:
            value = _cubic_slope(t) / self.step * slope
        else:
            value = _cubic_curvature(t) / self.step**2 * slope**2
            value += _cubic_slope(t) / self.step * self.coordinate.curvature(resolved)[..., None]
        return knot + self.run_offset[run], value

    def at(self, energy_e: Array, order: int = 0) -> Array:
        """(energies, splines) of values B_a(u(E)), or of their first or second derivatives in E.

        Unresolved energies have the values of the nearest resolved one; at 0, of that below.
        """
        first_e, value_ea = self._local(energy_e, order)
        dense = np.zeros((len(energy_e), self.size))
        dense[np.arange(len(energy_e))[:, None], first_e[:, None] + np.arange(4)] = value_ea
        return dense

    def freedom(self, order: int) -> Array:
        """ln of how freely ln ρ may curve where u bends, for each difference of that order.

        −BEND · `Coordinate.bend`; a difference lies in one run.
        """
        place_k = np.arange(self.size - order) + order / 2
        u_k = np.interp(place_k, np.arange(self.size), self.centre_a)
        log_k: Array = -BEND * self.coordinate.bend(energies(self.coordinate, u_k))
        return log_k[self._inside(order)]

    def penalty(self, order: int, weight_k: Array) -> Array:
        """Banded upper form of P: βᵀPβ = ∫ w(u) (dⁿ ln ρ/duⁿ)² du by differences of order n."""
        difference = _difference(order)
        full_k = np.zeros(self.size - order)
        full_k[self._inside(order)] = weight_k / self.step ** (2 * order - 1)
        banded = np.zeros((BAND, self.size))
        for i, j in combinations_with_replacement(range(order + 1), 2):
            part = banded[BAND - 1 - (j - i), j : j + len(full_k)]
            part += difference[i] * difference[j] * full_k
        return banded

    def differences(self, beta_a: Array, order: int) -> Array:
        """Differences of coefficients."""
        return np.diff(beta_a, order)[self._inside(order)]

    def difference_variances(self, covariance_aa: Array, order: int) -> Array:
        """Variances of `differences` of coefficients of that covariance."""
        difference = _difference(order)
        rows = self.size - order
        variance_k = np.zeros(rows)
        for i, j in combinations_with_replacement(range(order + 1), 2):
            twice = 1 if i == j else 2
            lagged_k = np.diagonal(covariance_aa, j - i)[i : i + rows]
            variance_k += twice * difference[i] * difference[j] * lagged_k
        return variance_k[self._inside(order)]

    def _inside(self, order: int) -> NDArray[np.bool_]:
        """Which differences of neighbouring coefficients lie in one run."""
        first = np.arange(self.size - order)
        run = np.searchsorted(self.run_offset, first, side="right")
        inside: NDArray[np.bool_] = run == np.searchsorted(
            self.run_offset, first + order, side="right"
        )
        return inside

    def gram(self, row_ja: Array, mean_j: Array) -> Array:
        """Banded upper form of Xᵀ diag(μ) X."""
        value_pairs = mean_j[:, None] * row_ja[:, ROW] * row_ja[:, COLUMN]
        banded = np.bincount(self.band_pairs.ravel(), value_pairs.ravel(), BAND * self.size)
        return banded.astype(np.float64, copy=False).reshape(BAND, self.size)

    def transpose(self, row_ja: Array, value_j: Array) -> Array:
        """Xᵀ v."""
        flat = (row_ja * value_j[:, None]).ravel()
        return np.bincount(self.index_ja.ravel(), flat, self.size).astype(np.float64)

    def means(self, beta_a: Array) -> tuple[Array, Array]:
        """μ_j = ∫_cell ρ dE, and the rows X_ja = ∂ ln μ_j / ∂β_a."""
        log_jq = np.einsum("jqa,ja->jq", self.value_jqa, beta_a[self.index_ja])
        part_jq = self.weight_jq * np.exp(np.minimum(log_jq, 600.0))
        mean_j = part_jq.sum(axis=1)
        share_jq = part_jq / np.maximum(mean_j, 1e-300)[:, None]
        return mean_j, np.einsum("jq,jqa->ja", share_jq, self.value_jqa)


def _difference(order: int) -> Array:
    """Coefficients of a difference."""
    coefficients: Array = np.diff(np.eye(order + 1), order)[:, 0]
    return coefficients


def _cubic(t: Array) -> Array:
    """The four cubic B-splines between two knots, at t in [0, 1] of the way; last axis."""
    parts = ((1 - t) ** 3, (3 * t - 6) * t**2 + 4, ((-3 * t + 3) * t + 3) * t + 1, t**3)
    return np.concatenate(parts, axis=-1) / 6


def _cubic_slope(t: Array) -> Array:
    parts = (-((1 - t) ** 2), (3 * t - 4) * t, (-3 * t + 2) * t + 1, t**2)
    return np.concatenate(parts, axis=-1) / 2


def _cubic_curvature(t: Array) -> Array:
    return np.concatenate((1 - t, 3 * t - 2, 1 - 3 * t, t), axis=-1)
