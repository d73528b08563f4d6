"""Kernel density estimates in a fair coordinate: that of the spline, chosen as freely.

Energies are moved to u = asinh(E/c) + ln(1 + E) − ln(1 − E), smoothed there by a Gaussian kernel,
and the density is moved back with du/dE. c is one of the spline's, and for c ≪ 1 the two sides of 0
are smoothed apart; what is chosen has the greatest leave-one-out likelihood. The bandwidth is
Scott's, that of the improved Sheather–Jones rule (KDEpy; Botev, Grotowski & Kroese, Ann. Statist.
38, 2916 (2010), doi:10.1214/10-AOS799), or the one of greatest leave-one-out likelihood as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from workflow_scripts.semstat.thermodynamics.log_density import CENTRE_SCALES
from workflow_scripts.semstat.thermodynamics.spline_basis import Coordinate

Array = NDArray[np.float64]
Rule = Callable[[Array], Iterable[float]]
"""Of (states,) u, to the bandwidths that may be taken."""

POINTS = 2**13
"""On which states are binned, so that 10⁵ of them take milliseconds."""

REACH = 6.0
"""Of the kernel, in bandwidths."""

FACTORS = np.geomspace(0.1, 2.0, 12)
"""Of Scott's bandwidth, among which likelihood chooses."""


class Smoothed(NamedTuple):
    """A density in u on equidistant points, and the log-likelihood of its states without each."""

    point_g: Array
    density_g: Array
    likelihood: float


def scott(u_s: Array) -> list[float]:
    return [float(np.std(u_s, ddof=1)) * len(u_s) ** -0.2]


def sheather_jones(u_s: Array) -> list[float]:
    """Scott's rule where the improved one finds no solution."""
    from KDEpy.bw_selection import improved_sheather_jones

    try:
        return [float(improved_sheather_jones(u_s[:, None]))]
    except ValueError:
        return scott(u_s)


def by_likelihood(u_s: Array) -> list[float]:
    return [float(factor) * scott(u_s)[0] for factor in FACTORS]


def smoothed(u_s: Array, bandwidth: float) -> Smoothed:
    """Gaussian kernels on states shared out to the two points next to each."""
    margin = REACH * bandwidth
    point_g = np.linspace(u_s.min() - margin, u_s.max() + margin, POINTS)
    step = point_g[1] - point_g[0]
    place_s = (u_s - point_g[0]) / step
    left_s = np.clip(place_s.astype(int), 0, POINTS - 2)
    part_s = place_s - left_s
    count_g = np.bincount(left_s, 1 - part_s, POINTS) + np.bincount(left_s + 1, part_s, POINTS)
    reach = min(int(np.ceil(margin / step)), POINTS // 2 - 1)
    kernel = np.exp(-(((np.arange(-reach, reach + 1) * step) / bandwidth) ** 2) / 2)
    kernel /= kernel.sum() * step
    sum_g = np.maximum(fftconvolve(count_g, kernel, mode="same"), 0.0)
    others_s = np.interp(u_s, point_g, sum_g) - kernel[reach]
    alone = np.log(np.maximum(others_s, 1e-12) / max(len(u_s) - 1, 1))
    return Smoothed(point_g, sum_g / len(u_s), float(alone.sum()))


def fair_kernel(energy_s: Array, edges_e: Array, rule: Rule) -> Array:
    """(edges,) density of the states off 0, as a share of all."""
    state_s = np.clip(energy_s[energy_s != 0], np.nextafter(-1, 0), np.nextafter(1, 0))
    at_e = np.clip(edges_e, np.nextafter(-1, 0), np.nextafter(1, 0))
    best: tuple[float, Array] = (-np.inf, np.full(len(edges_e), np.nan))
    for centre in CENTRE_SCALES:
        coordinate = Coordinate(centre)
        density_e, likelihood = np.zeros(len(edges_e)), 0.0
        for side in (-1, 1) if coordinate.split else (0,):
            of_s = state_s[np.sign(state_s) == side] if side else state_s
            chosen_e = np.sign(at_e) == side if side else np.ones(len(at_e), dtype=bool)
            if len(of_s) < 2:
                continue
            u_s = coordinate.of(of_s)
            found = max((smoothed(u_s, h) for h in rule(u_s)), key=lambda one: one.likelihood)
            share = len(of_s) / len(energy_s)
            at_u = np.interp(coordinate.of(at_e[chosen_e]), *found[:2], left=0.0, right=0.0)
            density_e[chosen_e] = share * at_u * coordinate.slope(at_e[chosen_e])
            likelihood += found.likelihood + float(np.log(share * coordinate.slope(of_s)).sum())
        if likelihood > best[0]:
            best = likelihood, density_e
    return best[1]
