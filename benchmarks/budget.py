"""Where the time of a job of the energy stage goes, from starting Python to the last Parquet file.

Runs the stages of `measure_energies` one after the other on a shard and times each; then the same
job through Snakemake (run it where the results of the shard are; they are made anew, the same).

    python -m benchmarks.budget --model results/models/smollm2-135m --dataset sotu --layers 0 30
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workflow_scripts.energies.measuring import table_of_columns
from workflow_scripts.models.loading import Running, load
from workflow_scripts.running.command import run
from workflow_scripts.semstat.energies.measure import measure_windows
from workflow_scripts.semstat.energies.tables import ENERGIES
from workflow_scripts.semstat.tables import open_table, table_writers
from workflow_scripts.semstat.tokens.tables import TOKENS
from workflow_scripts.tokens.shards import Cut, check_tokens

READING, MEASURING, WRITING = "reading and checking tokens", "forward pass, readouts", "Parquet"
GROWS = (READING, MEASURING, WRITING)
"""Stages that take as long again with as many states again."""

seconds: dict[str, float] = {}


@contextmanager
def timed(stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - start


def stages(running: Running, cut: Cut, layers: list[int], path: Path) -> int:
    """Time the stages; returns the states measured."""
    with timed("Python and its imports"):
        line = [sys.executable, "-m", "workflow_scripts.energies.measure_energies", "--help"]
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
    with timed("loading and checking the model"):
        snapshot = running.snapshot()
        model, _ = load(running, cut.context, f"{running.key}.context")
        model.truncate(max(layers))
    with timed(READING):
        tokens = open_table(path, TOKENS)
        states = check_tokens(path, tokens, snapshot["vocabulary"])
    batch_tokens = running.positions_at_once(model.device)
    measured = measure_windows(model, cut.windows(tokens), layers, batch_tokens)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{layer}.parquet" for layer in layers]
        with table_writers(paths, ENERGIES, [{}] * len(paths)) as writers:
            while True:
                with timed(MEASURING):
                    by_layer = next(measured, None)
                if by_layer is None:
                    break
                with timed(WRITING):
                    for writer, layer in zip(writers, layers, strict=True):
                        writer.write_table(table_of_columns(by_layer[layer]))
            start = time.perf_counter()
        seconds[WRITING] += time.perf_counter() - start
    return states


def through_snakemake(name: str, target: str) -> float:
    """Seconds of the whole job as the workflow runs it."""
    line = [sys.executable, "-m", "snakemake", "--cores=all", "--quiet=all", target]
    line += [f"--forcerun=measure_energies_{name}"]
    start = time.perf_counter()
    subprocess.run(line, check=True)
    return time.perf_counter() - start


def budget(
    *,
    running: Running,
    cut: Cut = Cut(context=512, stride=256),
    dataset: str,
    shard: int = 0,
    layers: list[int],
) -> None:
    """Time the stages of measuring a shard, one after the other, and the whole job.

    Parameters
    ----------
    dataset : its name; results/ has the tokens of that model.
    shard : its number.
    layers : layers to read out.
    """
    name = running.called
    of = f"model={name}/dataset={dataset}"
    states = stages(running, cut, layers, Path(f"results/tokens/{of}/shard={shard}.parquet"))
    target = f"results/energies/{of}/layer={layers[0]}/shard={shard}.parquet"
    whole = through_snakemake(name, target)
    seconds["Snakemake, records and logs"] = whole - sum(seconds.values())
    print(f"{states:,} states at {len(layers)} layers, {whole:.1f} s; of 10⁶ states:")
    of_million = {
        stage: spent / states * 1e6 if stage in GROWS else spent for stage, spent in seconds.items()
    }
    for stage, spent in seconds.items():
        large = of_million[stage]
        share = large / sum(of_million.values())
        print(f"{stage:32} {spent:8.1f} s {spent / whole:6.1%} {large:10.1f} s {share:6.1%}")


if __name__ == "__main__":
    run(budget)
