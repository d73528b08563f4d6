"""Where the time of a job of the energy stage goes, from starting Python to the last Parquet file.

Runs the stages of `measure_energies` one after the other on a shard and times each; then the same
job through Snakemake (run it where the results of the shard are; they are made anew, the same).

    python -m benchmarks.budget --model smollm2-135m --dataset sotu --shard 0
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workflow_scripts.energies.measure_energies import _table
from workflow_scripts.models.loading import (
    BATCH_TOKENS,
    add_options,
    check_tokens,
    load,
    prepare,
    windows_of,
)
from workflow_scripts.semstat.energies.measure import measure_windows
from workflow_scripts.semstat.energies.tables import ENERGIES
from workflow_scripts.semstat.tables import open_table, table_writers
from workflow_scripts.semstat.tokens.tables import TOKENS

READING, MEASURING, WRITING = "reading and checking tokens", "forward pass, readouts", "Parquet"
GROWS = (READING, MEASURING, WRITING)
"""Stages that take as long again with as many states again."""

seconds: dict[str, float] = {}


@contextmanager
def timed(stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - start


def stages(arguments: argparse.Namespace, tokens_path: Path) -> int:
    """Time the stages; returns the states measured."""
    with timed("Python and its imports"):
        line = [sys.executable, "-m", "workflow_scripts.energies.measure_energies", "--help"]
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
    with timed("loading and checking the model"):
        snapshot = prepare(arguments)
        model, _ = load(arguments)
        model.truncate(max(arguments.layers))
    with timed(READING):
        tokens = open_table(tokens_path, TOKENS)
        states = check_tokens(tokens_path, tokens, snapshot["vocabulary"])
    batch_tokens = arguments.batch_tokens or BATCH_TOKENS[model.device.type]
    measured = measure_windows(model, windows_of(tokens, arguments), arguments.layers, batch_tokens)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{layer}.parquet" for layer in arguments.layers]
        with table_writers(paths, ENERGIES, [{}] * len(paths)) as writers:
            while True:
                with timed(MEASURING):
                    by_layer = next(measured, None)
                if by_layer is None:
                    break
                with timed(WRITING):
                    for writer, layer in zip(writers, arguments.layers, strict=True):
                        writer.write_table(_table(by_layer[layer]))
            start = time.perf_counter()
        seconds[WRITING] += time.perf_counter() - start
    return states


def through_snakemake(name: str, arguments: argparse.Namespace) -> float:
    """Seconds of the whole job as the workflow runs it."""
    shard = f"dataset={arguments.dataset}/layer={arguments.layers[0]}/shard={arguments.shard}"
    target = f"results/energies/model={name}/{shard}.parquet"
    line = [sys.executable, "-m", "snakemake", "--cores=all", "--quiet=all", target]
    line += [f"--forcerun=measure_energies_{name}"]
    start = time.perf_counter()
    subprocess.run(line, check=True)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--shard", type=int, default=0)
    parser.add_argument("--layers", type=int, nargs="+", default=[0, 10, 20, 30])
    arguments = parser.parse_args()
    name = str(arguments.model)
    arguments.model = Path("results/models") / name
    tokens = Path(f"results/tokens/model={name}/dataset={arguments.dataset}")
    states = stages(arguments, tokens / f"shard={arguments.shard}.parquet")
    whole = through_snakemake(name, arguments)
    seconds["Snakemake, records and logs"] = whole - sum(seconds.values())
    print(f"{states:,} states at {len(arguments.layers)} layers, {whole:.1f} s; of 10⁶ states:")
    of_million = {
        stage: spent / states * 1e6 if stage in GROWS else spent for stage, spent in seconds.items()
    }
    for stage, spent in seconds.items():
        large = of_million[stage]
        share = large / sum(of_million.values())
        print(f"{stage:32} {spent:8.1f} s {spent / whole:6.1%} {large:10.1f} s {share:6.1%}")


if __name__ == "__main__":
    main()
