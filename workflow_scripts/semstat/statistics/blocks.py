"""Blocks of documents: how far each moves a sum, and how well their scatter tells its error.

A share or a mean over states is the mean over blocks weighted by their states, w_b = n_b/n. Its
error is read off the scatter of the blocks about it, and where documents differ in length a few
blocks may carry it: they then pull it along, so that their own deviation is too small (leverage),
and their scatter tells its variance with fewer degrees of freedom than there are blocks. Both are
mended as for cluster-robust regression (CR2: Bell & McCaffrey, Survey Methodology 28, 169 (2002);
Pustejovsky & Tipton, J. Bus. Econ. Stat. 36, 672 (2018), doi:10.1080/07350015.2016.1247004), under
a working model of the variance of a block's mean,

    v_b ∝ ρ Σ_d n_d²/n_b² + (1 − ρ)/n_b,

with ρ the correlation of two states of one document.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

# Not scipy.stats: it is half a second of every command's start-up.
from scipy.special import ndtri, owens_t, stdtridf

from .block_errors import Estimate

Array = NDArray[np.float64]

GROUPS = 20
"""Groups of cells, of about as many states each, whose scatter between blocks is pooled."""

MATCHED = 0.95
"""Confidence at which Student's interval with the effective degrees of freedom is exact."""

MOST_FREEDOM = 1e6
"""As good as normal."""

NODES, WEIGHTS = np.polynomial.legendre.leggauss(200)


@dataclass(frozen=True)
class Blocks:
    """The non-empty blocks of one ensemble.

    states_b : (blocks,) states of each; positive.
    squared_b : (blocks,) Σ over its documents of (states of the document)².
    correlation : ρ of the working model, 0 to 1; 1 if the means of documents scatter alike,
        whatever their lengths.
    """

    states_b: Array
    squared_b: Array
    correlation: float

    @classmethod
    def of_documents(cls, states_d: Array) -> Blocks:
        """Blocks of one document each, the scatter within which is not known: ρ = 1."""
        return cls(states_d, states_d**2, 1.0)

    @classmethod
    def alike(cls, blocks: int) -> Blocks:
        """So many blocks, each one observation."""
        return cls.of_documents(np.ones(blocks))

    @classmethod
    def of_counts(cls, count_be: Array, squared_b: Array) -> Blocks:
        """Blocks of counts on a grid, with ρ of the indicators H ≤ E, pooled over energies.

        By moments: the scatter of blocks about the mean is linear in ρ.
        """
        states_b = count_be.sum(axis=1)
        alone, shared = (cls(states_b, squared_b, rho) for rho in (0.0, 1.0))
        below_bg = np.cumsum(_grouped(count_be), axis=1)
        share_g = below_bg.sum(axis=0) / states_b.sum()
        scale = float(np.sum(share_g * (1 - share_g)))
        if scale == 0:
            return alone
        seen = float(np.sum((below_bg - states_b[:, None] * share_g) ** 2)) / states_b.sum() ** 2
        of_alone, of_shared = (
            float(np.sum(blocks.weight_b**2 * blocks.scatter_b)) for blocks in (alone, shared)
        )
        if not of_shared > of_alone * (1 + 1e-9):
            return alone
        rho = (seen / scale - of_alone) / (of_shared - of_alone)
        return cls(states_b, squared_b, float(np.clip(rho, 0.0, 1.0)))

    @property
    def weight_b(self) -> Array:
        """(blocks,) share of all states."""
        weight_b: Array = self.states_b / self.states_b.sum()
        return weight_b

    @property
    def variance_b(self) -> Array:
        """(blocks,) working variance of each block's mean, over that of one state."""
        variance_b: Array = (
            self.correlation * self.squared_b / self.states_b**2
            + (1 - self.correlation) / self.states_b
        )
        return variance_b

    @property
    def variance(self) -> float:
        """Working variance of the mean of all, over that of one state."""
        return float(np.sum(self.weight_b**2 * self.variance_b))

    @property
    def scatter_b(self) -> Array:
        """(blocks,) that of its deviation from the mean of all, which it pulls along."""
        return self.scatter_about(self.weight_b)

    def scatter_about(self, weight_b: Array) -> Array:
        """(blocks,) that of its deviation from a mean with other weights, which sum to 1."""
        variance_b = self.variance_b
        scatter_b: Array = variance_b * (1 - 2 * weight_b) + np.sum(weight_b**2 * variance_b)
        return scatter_b

    @cached_property
    def inflation_b(self) -> Array:
        """(blocks,) by how much its deviation is too small."""
        inflation_b: Array = np.sqrt(self.variance_b / self.scatter_b)
        return inflation_b

    @cached_property
    def freedom(self) -> float:
        """Effective degrees of freedom; blocks − 1 where all blocks are alike.

        With them Student's interval holds the mean of normal blocks, as the working model has them,
        with the confidence `MATCHED`.
        """
        weight_b, root_b = self.weight_b, np.sqrt(self.variance_b)
        off_mean_bb = np.eye(len(weight_b)) - weight_b
        residual_bb = (weight_b * self.inflation_b)[:, None] * off_mean_bb * root_b
        square_i, axis_bi = np.linalg.eigh(residual_bb.T @ residual_bb)
        mean_i = axis_bi.T @ (weight_b * root_b)

        def excess(critical: float) -> float:
            return _exceeds(mean_i, critical**2 * square_i) - (1 - MATCHED)

        normal, widest = ndtri((1 + MATCHED) / 2), 1.0 / (1 - MATCHED)
        critical = brentq(excess, normal / 2, widest, xtol=1e-12)
        return min(float(stdtridf((1 + MATCHED) / 2, critical)), MOST_FREEDOM)

    def residuals(self, count_bz: Array) -> Array:
        """How far each block moves the counts of an ensemble of a fixed number of states.

        Parameters
        ----------
        count_bz : (blocks, z) counts or sums over states, of whatever z.

        Returns
        -------
        (z, blocks) deviation of each block from its share in the total, inflated for leverage; the
        sum of squares estimates the variance of the total.
        """
        expected_bz = self.weight_b[:, None] * count_bz.sum(axis=0)
        residual_zb: Array = (count_bz - expected_bz).T * self.inflation_b
        return residual_zb

    def per_state(self, sum_bz: Array) -> Estimate:
        """Sums over states, divided by how many there are."""
        states = self.states_b.sum()
        return Estimate(sum_bz.sum(axis=0) / states, self.residuals(sum_bz) / states)

    def share_variances(self, share_z: Array) -> tuple[Array, Array]:
        """Variances that shares of states should have by what documents share, and by their states.

        Few documents seldom show the scatter of a rare share, most of which is in documents that
        are rarer still. This is as if states had a Gaussian copula within documents, of the latent
        correlation r that matches ρ: ρ is pooled over energies, which for this copula is its
        footrule, ρ = 3 arcsin((1 + r)/2)/π − 1/2, and P[both states are below] is Owen's
        (Ann. Math. Stat. 27, 1075 (1956)).

        Parameters
        ----------
        share_z : shares Ω of states below an energy.

        Returns
        -------
        (z,) of what all states of a document have in common, and of what each has for itself.
        """
        latent = 2 * np.sin(np.pi * (self.correlation + 0.5) / 3) - 1
        below = ndtri(share_z)
        apart_z = 2 * owens_t(below, np.sqrt((1 - latent) / (1 + latent)))
        own_z = np.minimum(apart_z, share_z * (1 - share_z))
        shared_z = share_z * (1 - share_z) - own_z
        of_documents = float(np.sum(self.squared_b)) / self.states_b.sum() ** 2
        return shared_z * of_documents, own_z / self.states_b.sum()

    def state_inefficiency(self, count_be: Array) -> float:
        """How many states tell as much about Ω as one independent state; at least 1.

        The variance of Ω between blocks over that of independent states, Ω(1 − Ω)/n, pooled over
        energies spaced evenly in Ω. It is g = 1 + 2τ of the indicators H ≤ E within a document, and
        of whatever else its states share (the design effect: Kish, "Survey Sampling", Wiley 1965,
        ch. 8).

        Parameters
        ----------
        count_be : (blocks, edges) states, on the grid.
        """
        return self._design_effect(np.cumsum(_grouped(count_be), axis=1))

    def density_inefficiency(self, count_be: Array) -> float:
        """As `state_inefficiency`, of the share of states in a narrow interval, not below E.

        Correlated states scatter less over neighbouring cells than over the two sides of an energy,
        so this is the smaller of the two. Smoothing has to tell a bump of ρ from such scatter.
        """
        return self._design_effect(_grouped(count_be))

    def _design_effect(self, count_bg: Array) -> float:
        share_g = count_bg.sum(axis=0) / self.states_b.sum()
        independent = float(np.sum(share_g * (1 - share_g)) * self.states_b.sum())
        if independent == 0:
            return 1.0
        return max(1.0, float(np.sum(self.residuals(count_bg) ** 2)) / independent)


def _grouped(count_be: Array) -> Array:
    """(blocks, groups) counts in groups of neighbouring cells, of about as many states each."""
    share_e = count_be.sum(axis=0) / count_be.sum()
    middle_e = np.cumsum(share_e) - share_e / 2
    group_e = np.minimum((middle_e * GROUPS).astype(int), GROUPS - 1)
    grouped_bg: Array = count_be @ (group_e[:, None] == np.arange(GROUPS))
    return grouped_bg


def _exceeds(mean_i: Array, square_i: Array) -> float:
    """P[(mean · z)² > Σ square z²] of independent standard normal z.

    From the characteristic function of the difference (Gil-Pelaez, Biometrika 38, 481 (1951)),
    whose determinant is that of a diagonal matrix and one of rank one.
    """
    place = (NODES + 1) / 2
    scale = 1 / (np.sum(square_i) + np.sum(mean_i**2))
    s = scale * place / (1 - place)
    damping_si = 1 + 2j * s[:, None] * np.maximum(square_i, 0.0)
    own_s = 1 - 2j * s * np.sum(mean_i**2 / damping_si, axis=1)
    log_s = -0.5 * (np.log(damping_si).sum(axis=1) + np.log(own_s))
    integrand_s = np.exp(log_s).imag / s * scale / (1 - place) ** 2
    return 0.5 + float(integrand_s @ WEIGHTS) / 2 / np.pi
