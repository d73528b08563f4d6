"""Whose temperature is nearest to the exact one? The spline and its peers on the same samples.

T = Ω/ρ with the empirical Ω for all; they differ in ρ. The error is the mean of |ln(T̂/T)| over the
energies of the grid with at least 20 states on either side and as many expected within five cells,
each capped at ln 10 (a histogram or a kernel may give no density at all). Where ρ has a gap or
jumps, and where the spline says that the data do not tell it, no peer is judged; `given` is the
share of energies that are left. KDEpy and pymbar take part where they are installed.

    python -m benchmarks.density_peers --out peers.json
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import gaussian_kde

from workflow_scripts.semstat.thermodynamics.curves import POPULATED, estimate_curves
from workflow_scripts.semstat.thermodynamics.energy_grid import energy_edges

from .coverage.curves import around, places
from .designs import Sample, counted
from .fair_kernel import by_likelihood, fair_kernel, scott, sheather_jones
from .local_likelihood import local_likelihood
from .roles import ROLES, by_role
from .systems import System

Array = NDArray[np.float64]
Estimator = Callable[[Array, Array], Array]

CAP = np.log(10)
PYMBAR_SPLINES = (6, 12)


def ours(energy_s: Array, edges_e: Array) -> Array:
    """The penalised spline of `thermodynamics.curves`."""
    counts = counted(Sample(energy_s, np.arange(len(energy_s))), edges_e)
    curves = estimate_curves(counts, edges_e, np.random.default_rng(0), resamples=2)
    density_e: Array = curves.density.value
    return density_e


def local(energy_s: Array, edges_e: Array) -> Array:
    """Local likelihood on the same cells, in the same coordinates."""
    zero = int(np.searchsorted(edges_e, 0.0))
    cell_j = np.setdiff1d(np.arange(2, len(edges_e) - 1), [zero, zero + 1])
    counts = counted(Sample(energy_s, np.zeros(len(energy_s), int)), edges_e)
    count_e = counts.counts_be.sum(axis=0)
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
    "ours": ours,
    "u, Scott": lambda energy_s, edges_e: fair_kernel(energy_s, edges_e, scott),
    "u, ISJ": lambda energy_s, edges_e: fair_kernel(energy_s, edges_e, sheather_jones),
    "u, likelihood": lambda energy_s, edges_e: fair_kernel(energy_s, edges_e, by_likelihood),
    "gaussian_kde": kernel,
    "histogram": histogram,
    "local likelihood": local,
    "pymbar FES": pymbar_spline,
}
"""Kernels are named by their coordinate, u or (gaussian_kde) E, and their bandwidth."""

USUAL = list(PEERS)[:6]
"""Those that take less than a second a sample."""


def errors(
    system: System, energy_s: Array, edges_e: Array, peers: list[str]
) -> tuple[dict[str, float], float]:
    """Mean |ln(T̂/T)| of each peer, capped, over the energies judged; and the share given."""
    volume_e = np.searchsorted(np.sort(energy_s), edges_e, side="right") / len(energy_s)
    exact_e, at = system.volume(edges_e), places(system, edges_e)
    beside_e = np.minimum(exact_e, 1 - exact_e) * len(energy_s)
    judged_e = (beside_e >= POPULATED) & (edges_e != 0) & ~at.gap & ~at.undefined
    judged_e &= around(system, edges_e) * len(energy_s) >= POPULATED
    density_pe = {name: PEERS[name](energy_s, edges_e) for name in ["ours", *peers]}
    given_e = judged_e & np.isfinite(density_pe["ours"])
    exact_j = system.temperature(edges_e[given_e])
    means = {}
    for name in peers:
        with np.errstate(divide="ignore", invalid="ignore"):
            log_ratio = np.abs(np.log(volume_e[given_e] / density_pe[name][given_e] / exact_j))
        means[name] = float(np.mean(np.minimum(np.nan_to_num(log_ratio, nan=CAP), CAP)))
    return means, float(given_e.sum() / judged_e.sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--states", type=float, nargs="+", default=[1e3, 1e4, 1e5])
    parser.add_argument("--data-sets", type=int, default=5, help="of each system and size")
    parser.add_argument("--peers", nargs="+", default=USUAL, choices=list(PEERS))
    parser.add_argument("--systems", nargs="+", help="only those whose name contains one of these")
    parser.add_argument("--roles", nargs="+", default=list(ROLES), choices=ROLES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="JSON file of the results")
    arguments = parser.parse_args()

    peers = list(dict.fromkeys(["ours", *arguments.peers]))
    rows: list[dict[str, Any]] = []
    print(line("role", "system", "states", "given", peers))
    for states in map(int, arguments.states):
        for role in arguments.roles:
            for system in by_role()[role]:
                if not any(part in system.name for part in arguments.systems or [""]):
                    continue
                rows.append(
                    judged(role, system, states, peers, arguments.data_sets, arguments.seed)
                )
                cells = [f"{np.mean(rows[-1][name]):.4f}" for name in peers]
                given = f"{rows[-1]['given']:.2f}"
                print(line(role, system.name, str(states), given, cells), flush=True)
    for states in map(int, arguments.states):
        for role in arguments.roles:
            of_role = [row for row in rows if (row["states"], row["role"]) == (states, role)]
            if of_role:
                print(summary(f"{states} states, {role}", of_role, peers))
    if arguments.out:
        arguments.out.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def judged(
    role: str, system: System, states: int, peers: list[str], data_sets: int, seed: int
) -> dict[str, Any]:
    """Errors of each peer, one a data set, of one system and size."""
    rng, edges_e = np.random.default_rng(seed), energy_edges()
    samples = [system.sample(rng, states, 1)[0] for _ in range(data_sets)]
    found = [errors(system, sample, edges_e, peers) for sample in samples]
    row = {name: [means[name] for means, _ in found] for name in peers}
    given = float(np.mean([given for _, given in found]))
    return {"role": role, "system": system.name, "states": states, "given": given, **row}


def summary(title: str, rows: list[dict[str, Any]], peers: list[str]) -> str:
    """Mean errors; ratios to ours, geometric over systems; and where ours is not the best.

    Standard errors are those of the data sets: a peer and ours have seen the same.
    """
    texts = [f"\n== {title} =="]
    for name in peers:
        logs = [log_ratio(row[name], row["ours"]) for row in rows]
        mean, error = np.mean([x for x, _ in logs]), np.linalg.norm([e for _, e in logs])
        ratio = f"{np.exp(mean):.2f} ± {np.exp(mean) * error / len(logs):.2f}"
        average = np.mean([row[name] for row in rows])
        behind = [f"{r['system']} ({np.exp(x):.2f})" for r, (x, e) in zip(rows, logs, strict=True)
                  if x < -2 * e]  # fmt: skip
        beaten = f"; ours is worse on {len(behind)}: {', '.join(behind)}" if behind else ""
        texts.append(f"{name:17} error {average:.4f}, {ratio} times that of ours{beaten}")
    return "\n".join(texts)


def log_ratio(of_peer: list[float], of_ours: list[float]) -> tuple[float, float]:
    """ln of the ratio of two mean errors, and its standard error."""
    peer_d, ours_d = np.array(of_peer), np.array(of_ours)
    apart_d = peer_d / peer_d.mean() - ours_d / ours_d.mean()
    error = np.linalg.norm(apart_d) / np.sqrt(len(apart_d) * max(len(apart_d) - 1, 1))
    return float(np.log(peer_d.mean() / ours_d.mean())), float(error)


def line(role: str, system: str, states: str, given: str, cells: list[str]) -> str:
    return f"{role:8} {system:26} {states:>7} {given:>5} " + " ".join(f"{c:>16}" for c in cells)


if __name__ == "__main__":
    main()
