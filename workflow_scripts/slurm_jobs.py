"""SLURM jobs that a dead run has left behind."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from pathlib import Path

from .semstat.errors import InputError

RUN_ID = re.compile(r"SLURM run ID: (\S+)")
"""As the executor plugin logs it; it is also the name of each job of that run."""


def cancel_orphans(workdir: Path) -> list[str]:
    """Cancel the SLURM jobs of runs in a folder whose main process is gone, and wait for their end.

    A run's identifier, which its jobs have as their name, is in its log under `.snakemake/log`; so
    jobs of other folders, workflows or users are never touched. Without SLURM there is nothing to
    do.

    Parameters
    ----------
    workdir : where the run worked (`--directory`, or where it was started); no run may be alive
        there, or its jobs are no orphans (see `recover.refuse_if_alive`).

    Returns
    -------
    a line each job: its number and what it was doing.

    Raises
    ------
    InputError
        If SLURM does not answer, or jobs do not end.
    """
    runs = _runs_in(workdir)
    if not runs or shutil.which("squeue") is None:
        return []
    names = ",".join(sorted(runs))
    queued = _ask("squeue", "--me", "--noheader", f"--name={names}", "--format=%i|%k")
    orphans = [line.partition("|") for line in queued.splitlines()]
    if orphans:
        # SIGTERM and, after the cluster's KillWait, SIGKILL; a job that waits is just removed.
        _ask("scancel", *(number for number, _, _ in orphans))
        _await_end(names)
    return [f"SLURM job {number} ({comment})" for number, _, comment in orphans]


def _runs_in(workdir: Path) -> set[str]:
    logs = (workdir / ".snakemake" / "log").glob("*.log")
    return {run for log in logs for run in RUN_ID.findall(log.read_text(errors="replace"))}


def _await_end(names: str) -> None:
    """Wait until jobs have left the queue: until then they may still write."""
    # `scancel` returns at once. A job that nothing kills keeps its place, and this its patience.
    for _ in range(600):
        if not _ask("squeue", "--me", "--noheader", f"--name={names}", "--format=%i"):
            return
        time.sleep(0.5)
    raise InputError(
        f"jobs named {names} are still in the queue 5 minutes after `scancel`; see why"
    )


def _ask(*command: str) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except subprocess.CalledProcessError as error:
        raise InputError(f"{command[0]}: {error.stderr.strip()}; is SLURM up?") from error
