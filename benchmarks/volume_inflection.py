"""How many walkers it takes to see S(E) bend: a dip of β = dS/dE, of a depth that is known.

python -m benchmarks.volume_inflection

Deaths of a perfect sampler are drawn: S falls by an exponential number of nats, 1/n on average,
from one to the next. β is 10 but for a dip around E = −0.5 that is some nats wide. A dip is seen
where the fitted ln β rises on both sides above its lowest value, by more standard errors than the
least such rise of all but 5% of samples without a dip.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.semstat.thermodynamics.energy_grid import energy_edges
from workflow_scripts.semstat.volumes.temperature import log_slope
from workflow_scripts.semstat.volumes.trace import Settings, Trace

BETA, CENTRE = 10.0, -0.5
BETWEEN = -0.9, -0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--walkers", type=int, nargs="+", default=[64, 256, 1024, 4096])
    parser.add_argument("--depths", type=float, nargs="+", default=[0.2, 0.4, 0.6])
    parser.add_argument("--nats", type=float, default=2.0, help="that the dip takes on either side")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    print("| walkers | " + " | ".join(f"depth {d:.0%}" for d in arguments.depths) + " |")
    print("|---:|" + "---:|" * len(arguments.depths))
    for walkers in arguments.walkers:
        level = np.quantile(rises(0.0, walkers, arguments, rng), 0.95)
        shares = [
            (rises(depth, walkers, arguments, rng) > level).mean() for depth in arguments.depths
        ]
        print(f"| {walkers} | " + " | ".join(f"{share:.2f}" for share in shares) + " |", flush=True)


def rises(
    depth: float, walkers: int, arguments: argparse.Namespace, rng: np.random.Generator
) -> NDArray[np.float64]:
    """(samples,) by how many standard errors ln β rises on the flatter side of its lowest value."""
    grid = np.linspace(-1, 0, 20_001)
    width = arguments.nats / BETA
    beta = BETA * (1 - depth * np.exp(-(((grid - CENTRE) / width) ** 2)))
    entropy = np.append(0.0, np.cumsum((beta[1:] + beta[:-1]) / 2 * np.diff(grid)))
    entropy -= entropy[-1]
    settings = Settings(walkers, walkers // 2, 1)
    edges_e = energy_edges()
    part_e = (edges_e > BETWEEN[0]) & (edges_e < BETWEEN[1])
    found = []
    for _ in range(arguments.samples):
        deaths = int(-1.3 * entropy[0] * walkers)
        nats_z = np.cumsum(rng.exponential(size=deaths) / settings.alive(deaths))
        energy_z = np.interp(-nats_z[nats_z < -entropy[0]], entropy, grid)
        nothing = np.zeros((1, 0))
        reached = np.array([energy_z[-1]])
        none = np.zeros(1, dtype=np.int64)
        trace = Trace(
            settings, energy_z[None], nothing, nothing, nothing, reached, none, none
        )  # fmt: skip
        slope = log_slope(trace, edges_e, order=4)
        value_e, error_e = (part[0, part_e] for part in slope)
        lowest = int(np.nanargmin(value_e[1:-1])) + 1
        contrast_e = (value_e - value_e[lowest]) / np.hypot(error_e, error_e[lowest])
        found.append(min(contrast_e[:lowest].max(), contrast_e[lowest + 1 :].max()))
    return np.array(found)


if __name__ == "__main__":
    main()
