"""After a crash: end what the run left behind, tidy up after it, and run what is incomplete.

Takes the options that Snakemake was run with, and passes them on:

    python -m workflow_scripts.recover --cores all --configfile mine.yaml --directory elsewhere

1. Refuses where a run is still alive.
2. Ends the jobs that the dead run left behind: their results would land beside new ones.
3. Removes the temporary files of killed jobs, and the lock.
4. Becomes `snakemake --rerun-incomplete`.

With `-n` it only says what it would do.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import psutil

from .running import command
from .running.ask_snakemake import parser_for_a_run
from .running.jobs import FOLDER
from .running.leftovers import command_of, remove, unfinished
from .running.run_lock import LOCKS, hold, is_locked, refuse_elsewhere
from .running.slurm_jobs import cancel, orphans
from .semstat.errors import InputError

GRACE = 10.0
"""Seconds in which a job that is asked to end may tidy up after itself."""


def main() -> None:
    parser = parser_for_a_run(__doc__, "the run works")
    known = parser.parse_known_args()[0]
    folder = known.directory.resolve()
    if not (folder / ".snakemake").is_dir():
        raise InputError(
            f"{folder}: Snakemake has never run here; give the --directory that it ran with"
        )
    tidy(folder, dry_run=known.dry_run)
    say("running what is incomplete")
    options = ["--rerun-incomplete", *sys.argv[1:]]
    # In the place of this process, so that a signal or an exit status has one recipient.
    os.execv(sys.executable, [sys.executable, "-m", "snakemake", *options])  # noqa: S606


def tidy(folder: Path, *, dry_run: bool = False) -> None:
    """End the jobs of a dead run, then remove its unfinished files and its lock.

    Raises
    ------
    InputError
        If the run is not known to be dead.
    """
    refuse_elsewhere(folder)
    hold(folder)
    would = "would have " if dry_run else ""
    queued, running = orphans(folder), jobs_here(folder)
    if not dry_run:
        cancel(queued)
        end(running)
    for job in [*queued.values(), *filter(None, running.values())]:
        say(f"{would}ended {job}, which the dead run left behind")
    stale = [*unfinished(folder / "results"), *(folder / ".snakemake").glob("shell_tmp.*")]
    if stale:
        first = stale[0].relative_to(folder)
        say(f"{would}removed {len(stale)} unfinished files, such as {first}")
    if locked := is_locked(folder):
        say(f"{would}removed the lock")
    if not dry_run:
        remove(stale)
        if locked:
            # What `snakemake --unlock` does, without reading the whole workflow for it.
            shutil.rmtree(folder / LOCKS)


def jobs_here(folder: Path) -> dict[psutil.Process, str | None]:
    """What runs on this machine for a run in the folder, and, if a command, what to call it."""
    found = {}
    for process in psutil.process_iter():
        # It may end meanwhile, or be another user's.
        with suppress(psutil.Error, OSError):
            if process.environ().get(FOLDER) == str(folder) and process.pid != os.getpid():
                name = command_of(process)
                found[process] = name and f"{name} (process {process.pid})"
    return found


def end(jobs: Collection[psutil.Process]) -> None:
    """End processes: ask them to, then kill them."""
    for how in (psutil.Process.terminate, psutil.Process.kill):
        for process in jobs:
            with suppress(psutil.NoSuchProcess):
                how(process)
        deadline = time.monotonic() + GRACE
        while any(map(_is_alive, jobs)) and time.monotonic() < deadline:
            time.sleep(0.05)


def say(what: str) -> None:
    print(f"recover: {what}", flush=True)


def _is_alive(process: psutil.Process) -> bool:
    """Zombies, which nobody may ever bury in a container, are not."""
    with suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


if __name__ == "__main__":
    command.end_in_one_sentence(main)
