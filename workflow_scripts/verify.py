"""Check that results/ is what the present configuration, code and inputs make.

Snakemake knows what made a result only from its folder .snakemake; without it, it trusts whatever
lies in results/. This goes by the records that the jobs themselves have left in results/.records.
Each job of the study must have one, made by the same command from inputs and code of the same
digests, and its results must be there, of the recorded size. An input that is itself a result
counts with its recorded digest, so that nothing large is read; --deep reads every result too, and
so finds bytes that were changed in place.

Results that the configuration does not have (any more), and that reading a whole tree would mix in,
are named too.

Options of snakemake may follow, such as --configfile or a target. The exit status is 1 if anything
is wrong.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

from .running import command
from .running.ask_snakemake import ANSWER, SNAKEFILE, no_plan, study_of
from .running.jobs import Job
from .running.outlived import Results
from .running.records import RECORDS, Record, read_record
from .running.verification import Finding, Study

PLAN = ["--dry-run", "--forceall", "--printshellcmds", "--nocolor", "--quiet=reason"]
PLAN += ["--scheduler=greedy"]

NAMED = 10
"""Results that the command which rebuilds them names at most; more are put into a file."""

TO_REBUILD = RECORDS / "to_rebuild.txt"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--deep", action="store_true", help="read every result")
    parser.add_argument("--directory", type=Path, default=Path(), help="where results/ lies")
    arguments, options = parser.parse_known_args()
    if arguments.directory != Path():
        options.insert(0, f"--directory={arguments.directory.absolute()}")
    configuration, jobs = study_of(options), planned(options)
    os.chdir(arguments.directory)
    outlived = Results(configuration).outlived
    study = Study(jobs, read_all(RECORDS, outlived), arguments.deep)
    with command.progress("verify", "jobs", len(jobs) + len(study.left_over)) as bar:
        findings, left_over = study.check(bar.update), study.check_left_over(bar.update)
    for finding in findings + left_over:
        print(f"{finding.state:10} {finding.path}: {finding.why}")
    if findings:
        print(f"{counted(findings)} of {len(jobs)} jobs; rebuild them, and what is made of them:")
        print(f"  {remedy(findings, options)}")
    if left_over:
        print(f"{counted(left_over)} of results that the study does not ask for: delete them, or")
        print("make them by name: snakemake --cores all --forcerun NAME -- NAME")
    if results := sorted(outside([str(RECORDS)], map(Path, outlived))):
        for path in results:
            print(f"{'outlived':10} {path}: the configuration does not have this (any more)")
        print(f"{len(results)} outlived files and folders; move them away:")
        print(f"  python -m workflow_scripts.set_aside {shlex.join(options)}")
    if findings or left_over or results:
        sys.exit(1)
    print(f"The results of all {len(jobs)} jobs are those of this configuration, code and inputs.")
    if study.left_over:
        print(f"So are those of {len(study.left_over)} jobs that the study does not ask for.")


def planned(options: list[str]) -> list[Job]:
    """Every job of the study, from a dry run of all of them.

    Raises
    ------
    InputError
        If Snakemake cannot plan it.
    """
    plan = [sys.executable, "-m", "snakemake", f"--snakefile={SNAKEFILE}", *PLAN, *options]
    jobs, said = [], ""
    with subprocess.Popen(
        plan,
        env=os.environ | {ANSWER: os.devnull},  # it need not look at results as well
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    ) as run:
        for line in run.stdout or ():
            if job := Job.planned(line):
                jobs.append(job)
            elif not jobs:
                said += line
    if run.returncode:
        raise no_plan(said)
    return jobs


def read_all(folder: Path, but: Collection[str] = ()) -> dict[Path, Record]:
    """All records in a folder, but for some and those in some, by their files."""
    return {path: read_record(path) for path in outside(but, sorted(folder.rglob("*.json")))}


def outside(folders: Collection[str], paths: Iterable[Path]) -> list[Path]:
    """Paths that are none of some folders, and in none.

    >>> outside(["a/b"], [Path("a/b/c"), Path("a/b"), Path("a/bc")])
    [PosixPath('a/bc')]
    """
    tops = {Path(folder) for folder in folders}
    return [path for path in paths if tops.isdisjoint([path, *path.parents])]


def counted(findings: list[Finding]) -> str:
    """How many findings there are of each state.

    >>> counted([Finding("stale", "a", ""), Finding("damaged", "b", ""), Finding("stale", "c", "")])
    '2 stale, 1 damaged'
    """
    states = Counter(finding.state for finding in findings)
    return ", ".join(f"{count} {state}" for state, count in states.most_common())


def remedy(findings: list[Finding], options: list[str]) -> str:
    """The command that rebuilds what was found; Snakemake then rebuilds what depends on it."""
    paths = [finding.path for finding in findings]
    cores = (
        [] if any(re.match("--cores|-c|--profile", word) for word in options) else ["--cores=all"]
    )
    words = shlex.join(["snakemake", *cores, *options, "--forcerun"])
    if len(paths) <= NAMED:
        return f"{words} {shlex.join(paths)}"
    TO_REBUILD.parent.mkdir(parents=True, exist_ok=True)
    TO_REBUILD.write_text("".join(f"{path}\n" for path in paths), encoding="utf-8")
    return f"{words} $(cat {shlex.quote(str(TO_REBUILD.absolute()))})"


if __name__ == "__main__":
    command.end_in_one_sentence(main)
