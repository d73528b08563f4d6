"""The command; see the package."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tqdm import tqdm

from . import __doc__ as doc
from .curves import INTERVALS
from .held import Row
from .plan import CHEAPER, run, studies
from .printed import tables, write
from .study import Study

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> None:
    summary = (doc or "").splitlines()[0]
    parser = argparse.ArgumentParser("python -m benchmarks.coverage", description=summary)
    parser.add_argument("--only", nargs="+", choices=list(CHEAPER), default=list(CHEAPER))
    parser.add_argument("--systems", nargs="+", help="only those whose name contains one of these")
    parser.add_argument(
        "--roles", nargs="+", choices=("textbook", "set on", "judge"), help="only systems of these"
    )
    parser.add_argument(
        "--designs", nargs="+", help="only documents whose description contains one of these"
    )
    parser.add_argument(
        "--data-sets", type=int, default=100,
        help="of curves or differences, each study; wells have 4 and distances 10 times as many",
    )  # fmt: skip
    parser.add_argument(
        "--intervals",
        choices=list(INTERVALS),
        default="ours",
        help="of curves: ours; without or with all of the smoothing bias that the prior expects; "
        "or the percentiles of a plain bootstrap of the blocks (slow)",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--out", type=Path, help="writes OUT.txt, OUT.json and OUT.csv")
    arguments = parser.parse_args()

    planned = studies(
        arguments.only, arguments.systems or [""], arguments.data_sets, arguments.intervals,
        arguments.seed,
    )  # fmt: skip
    planned = [
        study
        for study in planned
        if (not arguments.roles or study.role in arguments.roles)
        and any(part in study.documents for part in arguments.designs or [""])
    ]
    start = time.perf_counter()
    rows = simulate(planned, arguments.jobs)
    print(tables(rows))
    print(f"\n{len(planned)} studies in {(time.perf_counter() - start) / 60:.1f} minutes")
    if arguments.out:
        write(rows, arguments.out)


def simulate(planned: list[Study], jobs: int) -> list[Row]:
    """Rows of all studies, in the order planned; each process has one thread for linear algebra."""
    for name in ONE_THREAD:
        os.environ[name] = "1"
    found: dict[Study, list[Row]] = {}
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        running = {pool.submit(run, study): study for study in planned}
        for future in tqdm(as_completed(running), total=len(planned), unit="study"):
            found[running[future]] = future.result()
    return [row for study in planned for row in found[study]]


if __name__ == "__main__":
    main()
