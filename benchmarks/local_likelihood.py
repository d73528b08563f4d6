"""Local-likelihood density estimation, the rival of the penalised spline.

At every energy a quadratic in the coordinate u is fitted to ln ρ by kernel-weighted Poisson
likelihood of the binned counts; the bandwidth, one for the whole curve, minimises AIC. It gets the
coordinates of the spline and chooses between them by AIC too.

Loader, "Local likelihood density estimation", Ann. Statist. 24, 1602 (1996),
doi:10.1214/aos/1032298287.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.semstat.thermodynamics.log_density import CENTRE_GAIN, CENTRE_SCALES
from workflow_scripts.semstat.thermodynamics.spline_basis import UNRESOLVED, Coordinate

Array = NDArray[np.float64]

BANDWIDTHS = np.geomspace(0.4, 20, 9)
"""Kernel half-widths in u, e-folds."""

STRIDE = 4
"""Every so many cells have a fit of their own; ln ρ is interpolated between them."""


def local_likelihood(count_j: Array, low_j: Array, high_j: Array, energy_e: Array) -> Array:
    """Intensity of states at each energy, (energies,), from counts in cells.

    Cells and energies on either side of 0 are kept apart where the coordinate is.
    """
    best: tuple[float, Array] = (np.inf, np.full(len(energy_e), np.nan))
    for scale in CENTRE_SCALES:
        coordinate = Coordinate(scale)
        handicap = 0.0 if scale == CENTRE_SCALES[0] else CENTRE_GAIN
        for bandwidth in BANDWIDTHS:
            middle_j = (low_j + high_j) / 2
            ends = np.flatnonzero(np.diff(np.sign(middle_j)))
            fitted = np.unique(np.r_[0 : len(middle_j) : STRIDE, ends, ends + 1, len(middle_j) - 1])
            local = _fit(count_j, low_j, high_j, middle_j[fitted], coordinate, bandwidth)
            log_j, leverage_j = (np.interp(middle_j, middle_j[fitted], part) for part in local)
            mean_j = np.exp(log_j) * (high_j - low_j)
            degrees = float(np.sum(leverage_j * (high_j - low_j)))
            likelihood = float(count_j @ np.log(np.maximum(mean_j, 1e-300)) - mean_j.sum())
            criterion = 2 * degrees - 2 * likelihood + handicap
            if criterion < best[0]:
                edge_e = np.clip(energy_e, -1 + UNRESOLVED, 1 - UNRESOLVED)
                log_e, _ = _fit(count_j, low_j, high_j, edge_e, coordinate, bandwidth)
                best = criterion, np.exp(log_e)
    return best[1]


def _fit(
    count_j: Array, low_j: Array, high_j: Array, at_e: Array, coordinate: Coordinate, width: float
) -> tuple[Array, Array]:
    """ln of the intensity at each energy, and its leverage: d ln ρ̂ per count there, times ρ̂."""
    u_j = coordinate.of((low_j + high_j) / 2)
    offset_ej = (u_j - coordinate.of(at_e)[:, None]) / width
    kernel_ej = np.clip(1 - np.abs(offset_ej) ** 3, 0, None) ** 3
    if coordinate.split:
        kernel_ej = kernel_ej * (np.sign(low_j + high_j) == np.where(at_e > 0, 1, -1)[:, None])
    design_ejp = np.stack([np.ones_like(offset_ej), offset_ej, offset_ej**2], axis=2)
    size_j = high_j - low_j
    local_e = (kernel_ej @ count_j + 1e-3) / (kernel_ej @ size_j + 1e-12)
    theta_ep = np.stack([np.log(local_e), np.zeros_like(local_e), np.zeros_like(local_e)], axis=1)
    ridge = 1e-6 * np.eye(3)
    for _ in range(12):
        mean_ej = size_j * np.exp(np.clip(np.einsum("ejp,ep->ej", design_ejp, theta_ep), -60, 60))
        weight_ej = kernel_ej * mean_ej
        hessian_epq = np.einsum("ejp,ej,ejq->epq", design_ejp, weight_ej, design_ejp, optimize=True)
        score_ep = np.einsum("ejp,ej->ep", design_ejp, kernel_ej * (count_j - mean_ej))
        step_ep = np.linalg.solve(hessian_epq + ridge, score_ep[..., None])[..., 0]
        step_ep *= np.minimum(1, 3 / np.maximum(np.abs(step_ep).max(axis=1), 1e-9))[:, None]
        theta_ep += step_ep
        if np.max(np.abs(step_ep)) < 1e-3:
            break
    inverse_epq = np.linalg.inv(hessian_epq + ridge)
    return theta_ep[:, 0], inverse_epq[:, 0, 0] * np.exp(theta_ep[:, 0])
