"""Move results away that the configuration does not have (any more), such as those of a layer.

Whoever reads a whole tree, such as results/energies, as one table would read them among the rest.
They go to results/.set_aside, into a folder for each time, with their records; moved back, they are
what they were.

Takes the options that Snakemake is run with:

    python -m workflow_scripts.set_aside --configfile mine.yaml --directory elsewhere

It refuses while a run is alive. With `-n` it only says what it would do.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from .running import command
from .running.ask_snakemake import parser_for_a_run, study_of
from .running.outlived import ASIDE, Results, set_aside
from .running.records import RECORDS, RESULTS
from .running.run_lock import hold_after_a_run
from .semstat.errors import InputError


def main() -> None:
    parser = parser_for_a_run(__doc__, "results/ lies")
    known, options = parser.parse_known_args()
    if not (known.directory / RESULTS).is_dir():
        raise InputError(
            f"{known.directory.absolute()}: there is no {RESULTS}/ here; give the --directory that "
            f"the run had"
        )
    study = study_of([f"--directory={known.directory.absolute()}", *options])
    os.chdir(known.directory)
    if not known.dry_run:
        hold_after_a_run(Path.cwd())
    outlived = sorted(Results(study).outlived)
    folder = ASIDE / time.strftime("%Y-%m-%dT%H-%M-%S")
    for path in outlived:
        if not path.startswith(f"{RECORDS}/"):
            print(f"set_aside: {'would have ' * known.dry_run}moved {path}")
    if not outlived:
        print("set_aside: all results are of what the configuration has")
    elif not known.dry_run:
        set_aside(outlived, folder)
        print(f"set_aside: they are in {folder}; delete it when they are no longer wanted")


if __name__ == "__main__":
    command.end_in_one_sentence(main)
