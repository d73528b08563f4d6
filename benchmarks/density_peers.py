"""Whose temperature is nearest to the exact one? The spline and its peers on the same samples.

T = Ω/ρ with the empirical Ω for all; they differ in ρ. The error is the mean of |ln(T̂/T)| over the
energies of the grid with at least 20 states on either side, each capped at ln 10 (a histogram or a
kernel may give no density at all). pymbar takes part where it is installed.

    python -m benchmarks.density_peers --out peers.json
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import gaussian_kde

from workflow_scripts.semstat.statistics.closed_forms import ClosedForm, all_systems
from workflow_scripts.semstat.thermodynamics.curves import POPULATED, estimate_curves
from workflow_scripts.semstat.thermodynamics.energy_grid import count_states, energy_edges

from .local_likelihood import local_likelihood

Array = NDArray[np.float64]
Estimator = Callable[[Array, Array], Array]

CAP = np.log(10)
PYMBAR_SPLINES = (6, 12)


def ours(energy_s: Array, edges_e: Array) -> Array:
    """The penalised spline of `thermodynamics.curves`."""
    counts = count_states(energy_s, np.arange(len(energy_s)), edges_e)
    curves = estimate_curves(counts, edges_e, np.random.default_rng(0), resamples=2)
    density_e: Array = curves.density.value
    return density_e


def local(energy_s: Array, edges_e: Array) -> Array:
    """Local likelihood on the same cells, in the same coordinates."""
    zero = int(np.searchsorted(edges_e, 0.0))
    cell_j = np.setdiff1d(np.arange(2, len(edges_e) - 1), [zero, zero + 1])
    count_e = count_states(energy_s, np.zeros(len(energy_s), int), edges_e).counts_be.sum(axis=0)
    count_j = count_e[cell_j].astype(np.float64)
    intensity_e = local_likelihood(count_j, edges_e[cell_j - 1], edges_e[cell_j], edges_e)
    density_e: Array = intensity_e / len(energy_s)
    return density_e


def kernel(energy_s: Array, edges_e: Array) -> Array:
    """scipy's gaussian_kde, Scott's rule."""
    smooth_s = energy_s[energy_s != 0]
    density_e = np.asarray(gaussian_kde(smooth_s)(edges_e))
    return np.asarray(density_e * len(smooth_s) / len(energy_s))


def histogram(energy_s: Array, edges_e: Array) -> Array:
    """numpy's histogram, automatic bins."""
    smooth_s = energy_s[energy_s != 0]
    height_b, edge_b = np.histogram(smooth_s, bins="auto", range=(-1, 1), density=True)
    bin_e = np.clip(np.searchsorted(edge_b, edges_e, side="right") - 1, 0, len(height_b) - 1)
    return np.asarray(height_b[bin_e]) * len(smooth_s) / len(energy_s)


def pymbar_spline(energy_s: Array, edges_e: Array) -> Array:
    """pymbar's FES: maximum-likelihood spline of the free energy −ln ρ, its size by AIC."""
    from pymbar import FES

    smooth_s = energy_s[energy_s != 0]
    count = len(smooth_s)
    fits = []
    for size in PYMBAR_SPLINES:
        fes = FES(np.zeros((1, count)), np.array([count]))
        parameters = {
            "spline_weights": "unbiasedstate", "nspline": size, "spline_initialize": "zeros",
            "xrange": [-1, 1], "fkbias": [np.zeros_like], "kdegree": 3,
            "optimization_algorithm": "Newton-CG", "optimize_options": {"disp": False},
        }  # fmt: skip
        fes.generate_fes(np.zeros(count), smooth_s, fes_type="spline", spline_parameters=parameters)
        fits.append((fes.get_information_criteria("akaike"), size, fes))
    fes = min(fits)[2]
    fine = np.unique(np.concatenate([edges_e, np.linspace(-1, 1, 4001)]))
    shape = np.exp(-fes.get_fes(fine, reference_point="from-lowest")["f_i"])
    density_e = np.interp(edges_e, fine, shape / np.trapezoid(shape, fine))
    return np.asarray(density_e * count / len(energy_s))


PEERS: dict[str, Estimator] = {
    "ours": ours, "local likelihood": local, "gaussian_kde": kernel, "histogram": histogram,
    "pymbar FES": pymbar_spline,
}  # fmt: skip


def error(system: ClosedForm, energy_s: Array, edges_e: Array, estimator: Estimator) -> float:
    """Mean |ln(T̂/T)|, capped, over well-populated energies."""
    volume_e = np.searchsorted(np.sort(energy_s), edges_e, side="right") / len(energy_s)
    exact_e = system.volume(edges_e)
    beside_e = np.minimum(exact_e, 1 - exact_e) * len(energy_s)
    at = (beside_e >= POPULATED) & (edges_e != 0)
    density_e = estimator(energy_s, edges_e)[at]
    with np.errstate(divide="ignore", invalid="ignore"):
        log_ratio = np.log(volume_e[at] / density_e / system.temperature(edges_e[at]))
    return float(np.mean(np.minimum(np.nan_to_num(np.abs(log_ratio), nan=CAP), CAP)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--states", type=float, nargs="+", default=[1e3, 1e4, 1e5, 1e6])
    parser.add_argument("--data-sets", type=int, default=5, help="of each system and size")
    parser.add_argument("--peers", nargs="+", default=list(PEERS), choices=list(PEERS))
    parser.add_argument("--systems", nargs="+", help="only those whose name contains one of these")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="JSON file of the results")
    arguments = parser.parse_args()

    edges_e = energy_edges()
    wanted = arguments.systems or [""]
    systems = [s for s in all_systems() if any(part in s.name for part in wanted)]
    rows: list[dict[str, Any]] = []
    print(f"{'system':24} {'states':>8} " + " ".join(f"{name:>17}" for name in arguments.peers))
    for states in map(int, arguments.states):
        for system in systems:
            rng = np.random.default_rng(arguments.seed)
            row: dict[str, Any] = {"system": system.name, "states": states}
            samples = [system.sample(rng, states, 1)[0] for _ in range(arguments.data_sets)]
            for name in arguments.peers:
                start = time.perf_counter()
                errors = [error(system, sample, edges_e, PEERS[name]) for sample in samples]
                seconds = (time.perf_counter() - start) / len(samples)
                row[name] = {"error": float(np.mean(errors)), "seconds": seconds}
            rows.append(row)
            print(line(row, arguments.peers), flush=True)
        same = [row for row in rows if row["states"] == states]
        mean = {
            name: {key: np.mean([row[name][key] for row in same]) for key in ("error", "seconds")}
            for name in arguments.peers
        }
        print(line({"system": "mean", "states": states, **mean}, arguments.peers), flush=True)
    if arguments.out:
        arguments.out.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def line(row: dict[str, Any], peers: list[str]) -> str:
    cells = (f"{row[name]['error']:8.4f} ({row[name]['seconds']:5.2f}s)" for name in peers)
    return f"{row['system']:24} {row['states']:8d} " + " ".join(cells)


if __name__ == "__main__":
    main()
