"""Two ensembles: differences of their curves, and tests whether they differ at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from workflow_scripts.semstat.comparisons.comparison import difference, distance
from workflow_scripts.semstat.thermodynamics.energy_grid import StateCounts, energy_edges

from ..designs import Design, counted
from .curves import judged, places
from .held import Row, bands, intervals, share
from .study import Study

PERMUTATIONS = 499

LEVEL = 0.05


def draw(
    study: Study, rng: np.random.Generator, shift: float = 0.0
) -> tuple[StateCounts, StateCounts]:
    """Counts of two ensembles of one system, b with its normals shifted."""
    system, edges_e = study.of, energy_edges()
    if study.paired:
        a, b = study.design.samples([system, system], rng, [0.0, shift])
    else:
        of_b = study.other or study.design
        a, b = study.design.sample(system, rng), of_b.sample(system, rng, shift)
    return counted(a, edges_e), counted(b, edges_e)


def study_differences(study: Study) -> list[Row]:
    """Coverage of 0 by the differences of two ensembles of one system.

    Where both are well populated (`curves.judged`), off gaps; 1 − `band` is how often the band of
    two equal ensembles excludes 0.
    """
    edges_e, system = energy_edges(), study.of
    drawing, estimating = study.generators()
    sets = [
        difference(*draw(study, drawing), edges_e, estimating, study.paired)
        for _ in range(study.data_sets)
    ]
    designs = [study.design, study.other or study.design]
    worth = min(design.worth(system) for design in designs)
    at = places(system, edges_e)
    chosen_e = judged(system, worth, edges_e) & ~at.undefined & ~at.gap
    rows = []
    for quantity, name in {
        "S_a − S_b": "entropy", "T_a − T_b": "temperature", "ln T_a/T_b": "log_temperature",
    }.items():  # fmt: skip
        parts = np.array([np.array(getattr(one, name))[1:, chosen_e] for one in sets])
        low_dj, high_dj, band_low_dj, band_high_dj = np.moveaxis(parts, 1, 0)
        zero_j = np.zeros(int(chosen_e.sum()))
        row = intervals(low_dj, high_dj, zero_j) | bands(band_low_dj, band_high_dj, zero_j)
        rows.append({"quantity": quantity, "energies": len(zero_j)} | row)
    return rows


def study_distances(study: Study) -> list[Row]:
    """Share of p-values of at most `LEVEL`, of two ensembles alike or with one of them shifted."""
    edges_e = energy_edges()
    drawing, estimating = study.generators()
    shift = half_seen(study) if study.power else 0.0
    tests = [
        distance(*draw(study, drawing, shift), edges_e, estimating, study.paired, PERMUTATIONS)
        for _ in range(study.data_sets)
    ]
    of = "power" if study.power else "level"
    return [
        {
            "quantity": f"{name} {of}",
            "data sets": study.data_sets,
            **share("share", np.array([getattr(test, field) for test in tests]) <= LEVEL),
        }
        for name, field in {"area": "area_p", "KS": "kolmogorov_smirnov_p"}.items()
    ]


def half_seen(study: Study) -> float:
    """Shift of the normals by 1.96 standard errors of the difference of their means.

    A test of the two means that holds its level sees it in half of the data sets.
    """
    rng = np.random.default_rng(0)
    designs = [study.design, study.other or study.design]
    if study.paired:  # what documents do to both cancels
        designs = [replace(design, correlation=0.0) for design in designs]
        own = 1 - study.design.correlation
    else:
        own = 1.0
    return 1.96 * float(np.sqrt(own * sum(_variance(design, rng) for design in designs)))


def _variance(design: Design, rng: np.random.Generator) -> float:
    """Of the mean of the normals of one ensemble."""
    lengths = [design.lengths(rng).astype(np.float64) for _ in range(100)]
    shared = np.mean([np.sum(n**2) / n.sum() ** 2 for n in lengths])
    alone = np.mean([1 / n.sum() for n in lengths])
    return float(design.correlation * shared + (1 - design.correlation) * alone)
