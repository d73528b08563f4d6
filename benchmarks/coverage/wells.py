"""The numbers of a well: means, shares, depth and width."""

from __future__ import annotations

import numpy as np

from workflow_scripts.semstat.statistics.curve import Interval
from workflow_scripts.semstat.thermodynamics.energy_grid import energy_edges
from workflow_scripts.semstat.thermodynamics.wells import BELOW, LEVEL, describe_wells

from ..designs import summed
from ..systems import System, mean_energy
from .held import Row, average, intervals, share
from .study import Study

RARE = 0.005
"""Share of states that count as rare."""

SURE = 0.975
"""Of two layers alike, either one should be the deepest as surely as this in 5% of data sets."""


def exact(system: System) -> dict[str, float]:
    """Truths of all numbers but the lowest energy, which is none of the system."""
    below_zero = float(system.volume(np.array([0.0]))[0]) - system.atom
    at = {f"below_minus_{size}": float(system.volume(np.array([-size]))[0]) for size in BELOW}
    lower, upper, depth = system.quantile(np.array([below_zero / 4, 3 * below_zero / 4, LEVEL]))
    return {
        "mean_energy": mean_energy(system),
        "below_zero": below_zero,
        **at,
        "stutters": RARE,
        "at_zero": system.atom,
        "depth": float(depth),
        "width": float(upper - lower),
    }


def study_wells(study: Study) -> list[Row]:
    """Coverage of each number by its interval; `width` is the mean of high − low.

    A rare share is given as that of stutters. The interval of the lowest energy is judged by the
    median lowest one of such data sets. Two layers of the same documents are drawn, alike:
    "deepest" is the share of data sets in which one of them is the deepest with `SURE`.
    """
    edges_e, system = energy_edges(), study.of
    drawing, estimating = study.generators()
    rare = float(system.quantile(np.array([RARE]))[0])
    wells, deepest_dl = [], []
    for _ in range(study.data_sets):
        layers = study.design.samples([system, system], drawing)
        sums_l = [summed(layer, rare, edges_e) for layer in layers]
        described, deepest_l = describe_wells(sums_l, edges_e, estimating)
        wells.append(described[0])
        deepest_dl.append(deepest_l)
    truths = {name: value for name, value in exact(system).items() if value != 0}
    truths["lowest_energy"] = float(np.median([well["lowest_energy"][0] for well in wells]))
    rows = [_number(name, wells, value) for name, value in truths.items()]
    sure_d = np.max(np.nan_to_num(deepest_dl), axis=1) >= SURE
    return [*rows, {"quantity": "deepest", "data sets": len(wells), **share("share", sure_d)}]


def _number(name: str, wells: list[dict[str, Interval[float]]], value: float) -> Row:
    _, low_dj, high_dj = np.array([well[name] for well in wells]).T[:, :, None]
    row = intervals(low_dj, high_dj, np.array([value]))
    row.pop("worst", None), row.pop("worst_se", None)  # of one number
    return {"quantity": name, "truth": value} | row | average("width", high_dj - low_dj)
