"""Curves of one ensemble: S, T and S_B, the tail of T, gaps and jumps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.semstat.thermodynamics import log_density
from workflow_scripts.semstat.thermodynamics.curves import POPULATED, Curves, estimate_curves
from workflow_scripts.semstat.thermodynamics.energy_grid import StateCounts, energy_edges

from ..designs import counted
from ..systems import System
from .held import Row, average, bands, intervals
from .study import Study

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Estimator = Callable[[StateCounts, Array, np.random.Generator], Curves]

CHECKED = {"S": "entropy", "T": "temperature", "S_B": "surface_entropy"}

RESAMPLES = 100
"""Of the plain bootstrap."""

BESIDE = 5
"""Grid cells beside a gap or a jump that belong to it."""

JUMP = 1.5
"""Least factor between the densities on either side that is called a jump."""


def with_bias(share: float) -> Estimator:
    """Our intervals with another share of the expected smoothing bias."""

    def estimator(counts: StateCounts, edges_e: Array, rng: np.random.Generator) -> Curves:
        with mock.patch.object(log_density, "BIAS_SHARE", share):
            return estimate_curves(counts, edges_e, rng)

    return estimator


def percentiles(counts: StateCounts, edges_e: Array, rng: np.random.Generator) -> Curves:
    """Our estimate with percentile intervals: fitted anew to every resample of the blocks."""
    curves = estimate_curves(counts, edges_e, rng)
    full = np.flatnonzero(counts.counts_be.sum(axis=1))
    again = []
    for _ in range(RESAMPLES):
        drawn_b = rng.choice(full, size=len(full))
        resampled = StateCounts(*(of_b[drawn_b] for of_b in counts))
        again.append(estimate_curves(resampled, edges_e, rng, resamples=2))
    bounds = {}
    for name in CHECKED.values():
        values_re = [getattr(drawn, name).value for drawn in again]
        low_e, high_e = np.quantile(values_re, [0.025, 0.975], axis=0)
        bounds[name] = getattr(curves, name)._replace(low=low_e, high=high_e)
    return replace(curves, **bounds)


INTERVALS: dict[str, Estimator] = {
    "ours": estimate_curves,
    "no bias": with_bias(0.0),
    "all bias": with_bias(1.0),
    "percentile": percentiles,
}


def judged(system: System, worth: float, edges_e: Array) -> Mask:
    """(edges,) where as many states are expected on either side as make an energy well populated.

    That is 20 independent ones' worth, or a quarter of all where there are fewer than 80. 0 is left
    out: there may be an atom.
    """
    volume_e = system.volume(edges_e)
    beside_e: Array = np.minimum(volume_e, 1 - volume_e) * worth
    judged_e: Mask = (beside_e >= min(POPULATED, worth / 4)) & (edges_e != 0)
    return judged_e


class Places(NamedTuple):
    """Energies of the grid, each (edges,) bool, by how ρ is there.

    undefined : where a part begins or ends.
    gap : where there is none, with states on either side.
    jump : next to a jump between two densities above 0, on either side.
    beside : within `BESIDE` cells of a jump, or of the edge of a gap.
    """

    undefined: Mask
    gap: Mask
    jump: Mask
    beside: Mask


def places(system: System, edges_e: Array) -> Places:
    """Where the density of a system has gaps and jumps."""
    undefined, jump, beside = (np.zeros(len(edges_e), dtype=bool) for _ in range(3))
    for energy in system.support:
        undefined |= np.abs(edges_e - energy) < 1e-9 * abs(energy)
        step = max(1e-6 * abs(energy), 1e-7)
        low, high = np.sort(system.density(np.array([energy - step, energy + step])))
        above = int(np.searchsorted(edges_e, energy))
        if high > JUMP * low:
            beside[max(0, above - BESIDE) : above + BESIDE] = True
            jump[above - 1 : above + 1] |= low > 0
    volume_e = system.volume(edges_e)
    off_zero_e = np.where(edges_e == 0, 1e-300, edges_e)
    gap = (system.density(off_zero_e) == 0) & (volume_e > 0) & (volume_e < 1) & ~undefined
    return Places(undefined, gap, jump, beside)


def around(system: System, edges_e: Array) -> Array:
    """(edges,) share of states within `BESIDE` cells of each energy."""
    volume_e = np.pad(system.volume(edges_e), BESIDE, mode="edge")
    share_e: Array = volume_e[2 * BESIDE :] - volume_e[: -2 * BESIDE]
    return share_e


def truth(system: System, energy_j: Array) -> dict[str, Array]:
    """The exact curves; in a gap T is infinite and S_B negatively so."""
    with np.errstate(divide="ignore"):
        return {
            "S": np.log(system.volume(energy_j)),
            "T": system.temperature(energy_j),
            "S_B": np.log(system.density(energy_j)),
        }


def study_curves(study: Study) -> list[Row]:
    """Coverage of each curve by intervals and bands.

    S, T, S_B : where well populated (`judged`).
    T tail : where 0.1 to 20 independent states are expected at or below the energy, below −0.01.
    T sparse : where well populated on the whole, but in gaps, within `BESIDE` cells of a gap or
        jump, or where that many cells hold fewer than 20 states.
    flagged : share of energies that are extrapolated or have no T: in gaps, next to jumps, and
        elsewhere, which is where nothing of the kind is.

    `error` is the mean of |ln(T̂/T)| or |Ŝ − S|, `width` that of ln(high/low) or high − low.
    """
    edges_e, system = energy_edges(), study.of
    drawing, estimating = study.generators()
    estimator = INTERVALS[study.estimator]
    sets = [
        estimator(counted(study.design.sample(system, drawing), edges_e), edges_e, estimating)
        for _ in range(study.data_sets)
    ]
    worth = study.design.worth(system)
    inner_e = judged(system, worth, edges_e)
    at = places(system, edges_e)
    below_e = system.volume(edges_e) * worth
    tail_e = (below_e >= 0.1) & (below_e < POPULATED) & (edges_e < -0.01)
    tail_e &= system.density(np.where(tail_e, edges_e, -0.5)) > 0
    known_e = inner_e & ~at.undefined
    few_e = worth * around(system, edges_e) < POPULATED
    sparse_e = at.gap | at.beside | few_e
    rows = [
        curve("S", "S", sets, system, inner_e),
        curve("T", "T", sets, system, known_e),
        curve("S_B", "S_B", sets, system, known_e),
        curve("T tail", "T", sets, system, tail_e & ~at.undefined),
        curve("T sparse", "T", sets, system, known_e & sparse_e),
        flagged("flagged gaps", sets, inner_e & at.gap),
        flagged("flagged jumps", sets, inner_e & at.jump),
        flagged("flagged elsewhere", sets, inner_e & ~sparse_e),
    ]
    return [row for row in rows if row]


def curve(quantity: str, of: str, sets: list[Curves], system: System, chosen_e: Mask) -> Row:
    """One curve at the chosen energies."""
    if not chosen_e.any():
        return {}
    exact_j = truth(system, sets[0].energy[chosen_e])[of]
    parts = np.array([np.array(getattr(curves, CHECKED[of]))[:, chosen_e] for curves in sets])
    value_dj, low_dj, high_dj, band_low_dj, band_high_dj = np.moveaxis(parts, 1, 0)
    row = intervals(low_dj, high_dj, exact_j) | bands(band_low_dj, band_high_dj, exact_j)
    with np.errstate(divide="ignore", invalid="ignore"):
        if of == "T":
            value_dj, exact_j = np.log(value_dj), np.log(exact_j)
            low_dj, high_dj = np.log(low_dj), np.log(high_dj)
        error = average("error", np.abs(value_dj - exact_j))
        width = average("width", high_dj - low_dj)
    return {"quantity": quantity, "energies": int(chosen_e.sum())} | row | error | width


def flagged(quantity: str, sets: list[Curves], chosen_e: Mask) -> Row:
    """Share of the chosen energies of which it is said that the data do not tell T."""
    if not chosen_e.any():
        return {}
    said_dj = np.array(
        [(one.extrapolated | np.isnan(one.temperature.value))[chosen_e] for one in sets]
    )
    shares = {"data sets": len(sets), **average("share", said_dj.astype(np.float64))}
    return {"quantity": quantity, "energies": int(chosen_e.sum()), **shares}
