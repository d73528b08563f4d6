"""Do the error bars hold what they promise? Measured on systems with closed forms.

Draws many data sets of each system, with and without correlation between the states of a document,
estimates the curves of each, and counts how often 95% intervals hold the exact curve, over the
energies with at least 20 effective states on either side; and how often the simultaneous band
holds all of it. The tail, where T is extrapolated, is judged down to where 0.1 states are expected.

    python -m benchmarks.coverage --out coverage.json

What makes them hold it is shown by leaving it out: `--intervals`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.semstat.statistics.closed_forms import ClosedForm, all_systems
from workflow_scripts.semstat.thermodynamics import log_density
from workflow_scripts.semstat.thermodynamics.curves import POPULATED, Curves, estimate_curves
from workflow_scripts.semstat.thermodynamics.energy_grid import (
    BLOCKS,
    StateCounts,
    count_states,
    energy_edges,
)

Array = NDArray[np.float64]

Estimator = Callable[[StateCounts, Array, np.random.Generator], Curves]

CHECKED = ("entropy", "temperature", "surface_entropy")

RESAMPLES = 100
"""Of the plain bootstrap."""


def with_bias(share: float) -> Estimator:
    """Our intervals with another share of the expected smoothing bias."""

    def estimator(counts: StateCounts, edges_e: Array, rng: np.random.Generator) -> Curves:
        with mock.patch.object(log_density, "BIAS_SHARE", share):
            return estimate_curves(counts, edges_e, rng)

    return estimator


def percentiles(counts: StateCounts, edges_e: Array, rng: np.random.Generator) -> Curves:
    """Our estimate with percentile intervals: fitted anew to every resample of the blocks."""
    curves = estimate_curves(counts, edges_e, rng)
    again = []
    for _ in range(RESAMPLES):
        drawn_b = rng.integers(BLOCKS, size=BLOCKS)
        resampled = StateCounts(counts.counts_be[drawn_b], counts.at_zero_b[drawn_b])
        again.append(estimate_curves(resampled, edges_e, rng, resamples=2))
    bounds = {}
    for name in CHECKED:
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-sets", type=int, default=400, help="data sets a system")
    parser.add_argument("--documents", type=int, default=250, help="documents a data set")
    parser.add_argument("--states", type=int, default=64, help="states a document")
    parser.add_argument(
        "--correlation", type=float, nargs="+", default=[0.0, 0.1], help="within documents"
    )
    parser.add_argument("--systems", nargs="+", help="only those whose name contains one of these")
    parser.add_argument(
        "--intervals",
        choices=list(INTERVALS),
        default="ours",
        help="ours; without or with all of the smoothing bias that the prior expects; or the "
        "percentiles of a plain bootstrap of the blocks (slow)",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="JSON file of the results")
    arguments = parser.parse_args()

    wanted = arguments.systems or [""]
    systems = [s for s in all_systems() if any(part in s.name for part in wanted)]
    print(HEADER, flush=True)
    rows = []
    for correlation in arguments.correlation:
        for system in systems:
            row = study(
                system, arguments.data_sets, arguments.documents, arguments.states, correlation,
                np.random.default_rng(arguments.seed), INTERVALS[arguments.intervals],
            )  # fmt: skip
            print(line(row), flush=True)
            rows.append(row)
        print(line(pooled(rows, correlation)), flush=True)
    if arguments.out:
        arguments.out.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def study(
    system: ClosedForm,
    data_sets: int,
    documents: int,
    states: int,
    correlation: float,
    rng: np.random.Generator,
    estimator: Estimator,
) -> dict[str, Any]:
    """Coverage of each curve's intervals by energy, and of its band."""
    edges_e = energy_edges()
    start = time.perf_counter()
    sets = []
    for _ in range(data_sets):
        energy_s, doc_s = system.sample(rng, documents, states, correlation)
        counts = count_states(energy_s, doc_s, edges_e)
        sets.append(estimator(counts, edges_e, rng))
    inefficiency = float(np.mean([curves.inefficiency for curves in sets]))
    volume_e = system.volume(edges_e)
    beside_e = np.minimum(volume_e, 1 - volume_e) * documents * states / inefficiency
    judged_e = (beside_e >= POPULATED) & (edges_e != 0)
    energy_j = edges_e[judged_e]
    exact = {
        "entropy": np.log(volume_e[judged_e]),
        "temperature": system.temperature(energy_j),
        "surface_entropy": np.log(system.density(energy_j)),
    }
    return {
        "system": system.name,
        "correlation": correlation,
        "data sets": data_sets,
        "states": documents * states,
        "inefficiency": inefficiency,
        "seconds a data set": (time.perf_counter() - start) / data_sets,
        "energy": energy_j.tolist(),
        "curves": {name: coverage(sets, name, exact[name], judged_e) for name in CHECKED},
        "tail": tail_coverage(system, sets, volume_e * documents * states / inefficiency),
    }


def tail_coverage(system: ClosedForm, sets: list[Curves], below_e: Array) -> dict[str, Any]:
    """Coverage of T and S where 0.1 to 20 effective states are expected at or below the energy.

    An interval that is missing is no claim: intervals are judged where they are given, and the
    share of those is told.
    """
    edges_e = sets[0].energy
    tail_e = (below_e >= 0.1) & (below_e < POPULATED) & (edges_e < -0.01)
    if not tail_e.any():
        return {}
    exact_j = system.temperature(edges_e[tail_e])
    return {
        "temperature": coverage(sets, "temperature", exact_j, tail_e),
        "entropy": coverage(sets, "entropy", np.log(system.volume(edges_e[tail_e])), tail_e),
    }


def coverage(
    sets: list[Curves], name: str, exact_j: Array, judged_e: NDArray[np.bool_]
) -> dict[str, Any]:
    """A band is judged where it is defined."""
    bounds_dpj = np.array([np.array(getattr(curves, name))[:, judged_e] for curves in sets])
    value_dj, low_dj, high_dj, band_low_dj, band_high_dj = np.moveaxis(bounds_dpj, 1, 0)
    held_dj = (low_dj <= exact_j) & (exact_j <= high_dj)
    left_dj = (exact_j < band_low_dj) | (band_high_dj < exact_j)
    return {
        "held": held_dj.mean(axis=0).tolist(),
        "given": np.isfinite(low_dj).mean(axis=0).tolist(),
        "below": (exact_j < low_dj).mean(axis=0).tolist(),
        "band": float(np.mean(~left_dj.any(axis=1))),
        "bias": np.mean(value_dj - exact_j, axis=0).tolist(),
    }


HEADER = (
    f"{'system':24} {'corr':>5} {'g':>6} | "
    + " | ".join(f"{name:>15}: mean   min  band" for name in CHECKED)
    + " | tail T given | s/set"
)


def line(row: dict[str, Any]) -> str:
    cells = []
    for name in CHECKED:
        held = row["curves"][name]["held"]
        band = row["curves"][name]["band"]
        cells.append(f"{'':15}  {np.mean(held):.3f} {np.min(held):.3f} {band:.3f}")
    return (
        f"{row['system']:24} {row['correlation']:5.2f} {row['inefficiency']:6.2f} | "
        + " | ".join(cells)
        + f" | {tail_cells(row)}"
        + f" | {row['seconds a data set']:.2f}"
    )


def tail_cells(row: dict[str, Any]) -> str:
    """Coverage of T in the tail where given, and where that is."""
    if not row.get("tail"):
        return f"{'-':>5} {'-':>5}"
    of_t = row["tail"]["temperature"]
    given = np.mean(of_t["given"])
    return f"{np.mean(of_t['held']) / given:.3f} {given:.3f}"


def pooled(rows: list[dict[str, Any]], correlation: float) -> dict[str, Any]:
    """All systems of one correlation, each energy of each counting once."""
    rows = [row for row in rows if row["correlation"] == correlation]
    curves = {
        name: {
            "held": np.concatenate([row["curves"][name]["held"] for row in rows]),
            "band": np.mean([row["curves"][name]["band"] for row in rows]),
        }
        for name in CHECKED
    }
    means = {
        key: np.mean([row[key] for row in rows]) for key in ("inefficiency", "seconds a data set")
    }
    return {"system": "all", "correlation": correlation, "curves": curves, **means}


if __name__ == "__main__":
    main()
