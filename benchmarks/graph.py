"""What the graph of a large study costs: time and memory to plan it, and jobs a minute to run it.

The study is that of config/cluster.yaml at every layer, with more shards; nothing is fetched, and
nothing is computed: files are made empty.

    python -m benchmarks.graph              20 models × 4 datasets × 100 shards, then 2,000 jobs
    python -m benchmarks.graph --shards 10  a tenth of it
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

REPO = Path(__file__).parent.parent

FINISH = """
import sys
from pathlib import Path
from snakemake.cli import main
from snakemake.scheduling.job_scheduler import JobScheduler

async def finish(workflow):
    for level in workflow.dag.toposorted():
        for job in level:
            for file in job.output:
                Path(file).parent.mkdir(parents=True, exist_ok=True)
                Path(file).touch()
            await workflow.persistence.finished(job)

def schedule(self):
    self.workflow.async_run(finish(self.workflow))
    return True

JobScheduler.schedule = schedule
main(sys.argv[1:])
"""
"""Snakemake that makes the files of every job empty and records the job as finished.

Its --touch wants the files to be there, and chooses among all jobs before each of them.
"""

SHELL = """#!/bin/sh
files=${2#* --out }
: | tee ${files%% 2>&1*}
"""
"""A shell that, asked to run a command, makes its files empty."""


ASKED = ("mem_mb", "runtime")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=20)
    parser.add_argument("--shards", type=int, default=100, help="of each of four datasets")
    parser.add_argument("--jobs", type=int, default=2000, help="to run")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="to run them on")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plan(Path(folder), arguments.models, arguments.shards)
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), arguments.jobs, arguments.cores)


def plan(folder: Path, models: int, shards: int) -> None:
    """Dry runs: of a study not begun, of one model of it, of one batch, and of a finished one."""
    chosen = study(models, shards)
    files = sum(model["blocks"] + 1 for model in chosen["models"].values()) * 4 * shards
    print(f"{models} models x 4 datasets x {shards} shards, {files:,} files of energies")
    (folder / "study.yaml").write_text(yaml.safe_dump(chosen, sort_keys=False), encoding="utf-8")
    counts = ["--dry-run", "--quiet", "rules", "progress"]
    report("dry run, every job listed", *measured(folder, "--dry-run"))
    report("dry run, counts only", *measured(folder, *counts))
    one = next(iter(chosen["models"]))
    wells = [f"results/wells/model={one}/dataset={name}.parquet" for name in chosen["datasets"]]
    report("dry run of one model", *measured(folder, *wells, *counts))
    tenth = ["results/wells.csv", "--batch", "tabulate_wells=1/10"]
    report("dry run of a tenth", *measured(folder, *tenth, *counts))
    (folder / "finish.py").write_text(FINISH, encoding="utf-8")
    finished = measured(
        folder, "--cores=1", *light(chosen["models"]), program=[str(folder / "finish.py")]
    )
    report("(marking all of it finished)", *finished)
    report("dry run, nothing to do", *measured(folder, *counts))
    report("run, nothing to do", *measured(folder, "--cores=1"))


def run(folder: Path, jobs: int, cores: int) -> None:
    """Trivial jobs through the local executor: tokens, energies and counts of shards."""
    chosen = study(models=1, shards=max(1, jobs // 12))
    (folder / "study.yaml").write_text(yaml.safe_dump(chosen, sort_keys=False), encoding="utf-8")
    (model,) = chosen["models"]
    sources = [f"models/{model}/SHA256SUMS", "corpora/pile.parquet"]
    for path in (folder / "results" / source for source in sources):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (folder / "bash").write_text(SHELL, encoding="utf-8")
    (folder / "bash").chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    options = [f"--cores={cores}", "--until=count_states", *light([model])]
    for sample in (None, 200):
        chosen_among = [f"--scheduler-subsample={sample}"] if sample else []
        used, elapsed, peak = measured(folder, *options, *chosen_among, PATH=path)
        done = sum(1 for _ in (folder / "results/states").rglob("*.parquet")) * 3
        rate = f"{done / elapsed * 60:.0f} a minute, {used / done * 1000:.0f} ms of CPU each"
        report(f"{done} jobs, of {sample or 'all'}: {rate}", used, elapsed, peak)
        for kind in ("tokens", "energies", "states"):
            shutil.rmtree(folder / "results" / kind)


def light(models: Iterable[str]) -> list[str]:
    """Options that spare jobs the look into their inputs, which are empty, for what to ask for."""
    asks = [f"measure_energies_{model}:{name}=1" for model in models for name in ASKED]
    return ["--set-resources", *asks]


def study(models: int, shards: int) -> dict[str, Any]:
    """The cluster's study at every layer, with so many models and shards."""
    chosen: dict[str, Any] = yaml.safe_load(
        (REPO / "config/cluster.yaml").read_text(encoding="utf-8")
    )
    chosen["measurement"]["layers"] = "all"
    chosen["models"] = dict(list(chosen["models"].items())[:models])
    datasets = chosen["datasets"]
    datasets["pile"]["documents"] = shards * datasets["pile"]["documents_per_shard"]
    datasets["pile-shuffled-again"] = datasets["pile-shuffled"] | {"seed": 1}
    for dataset in datasets.values():
        dataset["shards"] = shards
    return chosen


def measured(
    folder: Path, *options: str, program: list[str] | None = None, **variables: str
) -> tuple[float, float, float]:
    """CPU seconds, seconds and peak memory (MB) of a Snakemake command line."""
    line = [sys.executable, *(program or ["-m", "snakemake"])]
    line += [f"--snakefile={REPO / 'Snakefile'}", f"--directory={folder}"]
    line += [f"--configfile={folder / 'study.yaml'}", *options]
    with (folder / "said.txt").open("wb") as said:
        start = time.perf_counter()
        process = subprocess.Popen(
            line, stdout=said, stderr=said, env=os.environ | variables, cwd=REPO
        )
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit((folder / "said.txt").read_text(encoding="utf-8")[-3000:])
    used = usage.ru_utime + usage.ru_stime
    return used, time.perf_counter() - start, usage.ru_maxrss / 1e3


def report(what: str, used: float, elapsed: float, peak: float) -> None:
    print(f"{what:60} {used:7.1f} s of CPU {elapsed:7.1f} s {peak:6.0f} MB", flush=True)


if __name__ == "__main__":
    main()
