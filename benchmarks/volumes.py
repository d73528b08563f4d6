"""How often intervals of nested sampling hold the exact volume, and what a nat costs.

python -m benchmarks.volumes

Independent runs of systems whose volumes are known, for each number of moves: S is compared with
the exact value in units of its own error, z. Minutes; --runs and --only make it shorter, and
--walkers of half and twice as many tell what there is of a bias.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from math import sqrt
from typing import NamedTuple

import numpy as np
import torch
from scipy import special, stats
from torch import Tensor

from workflow_scripts.semstat.volumes.diagnostics import diagnose
from workflow_scripts.semstat.volumes.entropy import entropy
from workflow_scripts.semstat.volumes.gaussian import Gaussian
from workflow_scripts.semstat.volumes.nested_sampling import NestedSampling
from workflow_scripts.semstat.volumes.sphere import Sphere
from workflow_scripts.semstat.volumes.trace import Settings
from workflow_scripts.semstat.volumes.walkers import EnergyOf, Space


class System(NamedTuple):
    """An energy with a known volume: ln Ω as a function of E, and the E to go down to."""

    space: Space
    energy_of: EnergyOf
    exact: Callable[[float], float]
    target: float


def cap(dimensions: int, height: float) -> float:
    """ln of the share of the unit sphere below a negative height."""
    return float(np.log(special.betainc((dimensions - 1) / 2, 0.5, 1 - height**2) / 2))


def first(q_sn: Tensor, _run_s: Tensor) -> Tensor:
    return q_sn[:, 0]


def wells(q_sn: Tensor, _run_s: Tensor) -> Tensor:
    return -torch.maximum(q_sn[:, 0], -1.1 * q_sn[:, 0])


def stairs(q_sn: Tensor, _run_s: Tensor) -> Tensor:
    return (4 * q_sn[:, 0]).ceil() / 4


DOUBLE = torch.float64
SYSTEMS = {
    "cap, 8 dimensions": System(Sphere(8, DOUBLE), first, lambda e: cap(8, e), -0.9),
    "cap, 100 dimensions": System(Sphere(100), first, lambda e: cap(100, e), -0.5),
    "two wells": System(
        Sphere(6, DOUBLE), wells, lambda e: float(np.logaddexp(cap(6, e), cap(6, e / 1.1))), -0.8
    ),
    "stairs": System(Sphere(6, DOUBLE), stairs, lambda e: cap(6, e), -0.75),
    "Gaussian": System(
        Gaussian(2, DOUBLE), first, lambda e: float(stats.norm.logcdf(e)), -14.0
    ),
    "Gaussian, 500 nats": System(
        Gaussian(2, DOUBLE), first, lambda e: float(stats.norm.logcdf(e)), -31.5
    ),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--walkers", type=int, default=64)
    parser.add_argument("--culled", type=int, default=16)
    parser.add_argument("--moves", type=int, nargs="+", default=[2, 4, 8, 16])
    parser.add_argument("--only", help="systems whose name contains this", default="")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(
        "| system | exact S | moves | mean z | spread of z | in 95% (± its error) | insertion "
        "| memory | evaluations a nat and walker | seconds |\n|---|" + "---:|" * 9
    )
    for name, system in SYSTEMS.items():
        if arguments.only in name:
            for moves in arguments.moves:
                print(f"| {name} | {row(system, moves, arguments)} |", flush=True)


def row(system: System, moves: int, arguments: argparse.Namespace) -> str:
    runs, walkers = arguments.runs, arguments.walkers
    settings = Settings(walkers, arguments.culled, moves, target=system.target)
    began = time.perf_counter()
    sampling = NestedSampling.begin(
        system.space,
        system.energy_of,
        settings,
        runs,
        torch.Generator().manual_seed(arguments.seed),
    )
    while sampling.goes_on:
        sampling.step()
    seconds = time.perf_counter() - began
    exact = system.exact(system.target)
    found = entropy(sampling.trace, [system.target])
    z_r = ((found.value - exact) / found.stderr)[:, 0]
    inside = (abs(z_r) < stats.norm.ppf(0.975)).mean()
    seen = diagnose(sampling.trace)
    cost = sampling.trace.evaluations_r.mean() / -exact / walkers
    return " | ".join(
        [
            f"{exact:.2f}", f"{moves}", f"{z_r.mean():+.2f} ± {1 / sqrt(runs):.2f}",
            f"{z_r.std(ddof=1):.2f}", f"{inside:.1%} ± {sqrt(0.95 * 0.05 / runs):.1%}",
            f"{seen.insertion.mean() * sqrt(runs):+.1f}", f"{seen.memory.mean():.3f}",
            f"{cost:.0f}", f"{seconds:.0f}",
        ]
    )  # fmt: skip


if __name__ == "__main__":
    main()
