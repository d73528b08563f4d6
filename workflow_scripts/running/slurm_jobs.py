"""A run's SLURM jobs: what there must be to submit them, and those that a dead run left behind."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from ..semstat.errors import InputError

RUNS = Path(".snakemake", "slurm_runs")
"""A line for each run on SLURM: its identifier, which is its jobs' name, and its folder."""


LONGEST_BETWEEN_LOOKS = 180
"""Seconds: the plugin looks at the queue less and less often while nothing ends."""


def begin_run(workflow: Any) -> None:
    """Note the identifier of a run that submits to SLURM, and check what else would end it unseen.

    Parameters
    ----------
    workflow : Snakemake's, about to start.

    Raises
    ------
    InputError
        If SLURM does not know the account, or forgets jobs before they are looked at.
    """
    if workflow.executor_plugin.name != "slurm":
        return
    executor = workflow.scheduler._executor
    with RUNS.open("a", encoding="utf-8") as file:
        file.write(f"{executor.run_uuid} {Path.cwd()}\n")
    if workflow.executor_settings.status_command == "squeue":
        _remember_queue(_check_queue())
    job = next((job for job in workflow.dag.needrun_jobs() if not job.is_local), None)
    if job is not None:
        _check_account(executor, job)


def _check_queue() -> int | None:
    """For how many seconds ended jobs stay in the queue, if SLURM says: long enough to be seen."""
    import snakemake_executor_plugin_slurm as plugin

    age: int | None = plugin.get_min_job_age()
    if age is not None and age < 4 / 3 * LONGEST_BETWEEN_LOOKS:
        raise InputError(
            f"MinJobAge of this cluster is {age} s, so jobs would leave the queue unseen: looks "
            f"are up to {LONGEST_BETWEEN_LOOKS} s apart; set slurm-status-command: sacct in the "
            f"profile"
        )
    return age


def _remember_queue(age: int | None) -> None:
    """Have the plugin go by this answer, and not ask before each of its looks.

    While the controller is away it would take no answer for a low age, and from then on ask sacct,
    which without an accounting database never answers.
    """
    import snakemake_executor_plugin_slurm as plugin

    plugin.get_min_job_age = lambda: age


def _check_account(executor: Any, job: Any) -> None:
    """As the plugin does when it submits; but where that is a group, it then waits for ever."""
    try:
        list(executor.get_account_arg(job))
    except Exception as error:
        account = job.resources.get("slurm_account")
        raise InputError(f"account {account!r} in the profile: {error}") from error


def orphans(folder: Path) -> dict[str, str]:
    """SLURM jobs of runs in a folder whose main process is gone: number → what to call it.

    Only of runs that were started in this very folder: jobs of other folders, also of one that
    this is a copy of, of other workflows or users are none of them.

    Parameters
    ----------
    folder : where the run worked (`--directory`, or where it was started); no run may be alive
        there, or its jobs are no orphans.

    Raises
    ------
    InputError
        If SLURM does not answer.
    """
    record = folder / RUNS
    lines = record.read_text(encoding="utf-8").splitlines() if record.is_file() else []
    runs = [line.partition(" ") for line in lines]
    names = ",".join(run for run, _, where in runs if where == str(folder))
    if not names or shutil.which("squeue") is None:
        return {}
    queued = _ask("squeue", "--me", "--noheader", f"--name={names}", "--format=%i|%k")
    jobs = [line.partition("|") for line in queued.splitlines()]
    return {number: f"SLURM job {number} ({comment})" for number, _, comment in jobs}


def cancel(jobs: Collection[str]) -> None:
    """Cancel jobs, and wait until they have left the queue: until then they may still write.

    Raises
    ------
    InputError
        If SLURM does not answer, or jobs do not end.
    """
    if not jobs:
        return
    # SIGTERM and, after the cluster's KillWait, SIGKILL; a job that waits is just removed.
    _ask("scancel", *jobs)
    # `scancel` returns at once. A job that nothing kills keeps its place, and this its patience.
    for _ in range(600):
        queued = _ask("squeue", "--me", "--noheader", "--format=%i").split()
        if not set(jobs) & set(queued):
            return
        time.sleep(0.5)
    raise InputError(
        f"jobs {', '.join(jobs)} are still in the queue 5 minutes after `scancel`; see why"
    )


def _ask(*command: str) -> str:
    try:
        return subprocess.run(
            command, check=True, capture_output=True, text=True, encoding="utf-8"
        ).stdout.strip()
    except subprocess.CalledProcessError as error:
        raise InputError(f"{command[0]}: {error.stderr.strip()}; is SLURM up?") from error
