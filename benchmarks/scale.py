"""Do curves of a billion states cost more than those of ten thousand? Time and memory.

Writes synthetic state counts of many shards, then runs the real command on them: it holds one
shard at a time, and what it holds is as large as the grid.

    python -m benchmarks.scale
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from workflow_scripts.semstat.statistics.closed_forms import beta
from workflow_scripts.semstat.tables import write_table
from workflow_scripts.semstat.thermodynamics.energy_grid import (
    BLOCKS,
    GRID,
    StateCounts,
    energy_edges,
)
from workflow_scripts.semstat.thermodynamics.states import BlockSums, to_rows
from workflow_scripts.semstat.thermodynamics.tables import STATES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument(
        "--runs",
        nargs="+",
        default=["1x1e4", "1x1e6", "1x1e9", "1000x1e4", "1000x1e6"],
        help="shards x states a shard and layer",
    )
    arguments = parser.parse_args()
    print(f"{'shards':>7} {'states a layer':>15} {'files, MB':>10} {'seconds':>8} {'peak, MB':>9}")
    for run in arguments.runs:
        shards, states = (int(float(part)) for part in run.split("x"))
        with tempfile.TemporaryDirectory() as folder:
            paths = [
                write(Path(folder), shard, states, arguments.layers) for shard in range(shards)
            ]
            size = sum(path.stat().st_size for path in paths) / 1e6
            seconds, peak = estimate(Path(folder), paths, arguments.layers)
        print(f"{shards:7d} {shards * states:15.0e} {size:10.1f} {seconds:8.1f} {peak:9.0f}")


def write(folder: Path, shard: int, states: int, layers: int) -> Path:
    """A shard's state counts, drawn from a closed form."""
    rng = np.random.default_rng(shard)
    share_e = np.diff(beta(2, 5).volume(energy_edges()), prepend=0.0)
    rows = []
    for layer in range(layers):
        counts_be = rng.multinomial(states // BLOCKS, share_e, size=BLOCKS)
        nothing_b = np.zeros(BLOCKS, dtype=np.int64)
        counts = StateCounts(counts_be, nothing_b, counts_be.sum(axis=1))
        mean_b = counts_be @ energy_edges()
        rows += to_rows(layer, BlockSums(counts, mean_b, np.full(BLOCKS, -1.0), nothing_b))
    path = folder / f"{shard}.parquet"
    of = {"model": {"model": "synthetic"}, "tokens": {"dataset": "synthetic"}}
    provenance = of | {"layers": list(range(layers)), "grid": GRID}
    write_table(path, pa.Table.from_pylist(rows, schema=STATES), provenance)
    return path


def estimate(folder: Path, shards: list[Path], layers: int) -> tuple[float, float]:
    """Seconds and peak memory (MB) of the command that merges shards and estimates curves."""
    numbers = [str(layer) for layer in range(layers)]
    command = [
        sys.executable,
        "-m",
        "workflow_scripts.thermodynamics.estimate_curves",
        *map(str, shards),
    ]
    command += ["--layers", *numbers, "--wells", str(folder / "wells.out"), "--out"]
    command += [str(folder / f"{number}.out") for number in numbers]
    start = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit("the command failed: run it by hand to see why")
    return time.perf_counter() - start, usage.ru_maxrss / 1e3


if __name__ == "__main__":
    main()
