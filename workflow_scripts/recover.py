"""After a crash: end what the run left behind, tidy up after it, and run what is incomplete.

Takes the options that Snakemake was run with, and passes them on:

    python -m workflow_scripts.recover --cores all --configfile mine.yaml --directory elsewhere

1. Refuses where a run is still alive.
2. Ends the jobs that the dead run left behind: their results would land beside new ones.
3. Removes the temporary files of killed jobs, and the lock.
4. Becomes `snakemake --rerun-incomplete`.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from . import command
from .jobs import FOLDER, HOST, remove
from .records import Job
from .semstat.errors import InputError
from .slurm_jobs import cancel_orphans

TEMPORARY = re.compile(r"\.(?P<target>.+?)\.(?P<process>\d+)\.(\w+\.)?tmp")
"""Names of unfinished files and folders: those of `completed` and of `fetch_model.save`."""

GRACE = 10.0
"""Seconds in which a job that is asked to end may tidy up after itself."""


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument(
        "-d", "--directory", type=Path, default=Path(), help="where the run works (default: here)"
    )
    folder = parser.parse_known_args()[0].directory.resolve()
    if not (folder / ".snakemake").is_dir():
        raise InputError(
            f"{folder}: Snakemake has never run here; give the --directory that it ran with"
        )
    tidy(folder)
    say("running what is incomplete")
    options = ["--rerun-incomplete", *sys.argv[1:]]
    # In the place of this process, so that a signal or an exit status has one recipient.
    os.execv(sys.executable, [sys.executable, "-m", "snakemake", *options])  # noqa: S606


def tidy(folder: Path) -> None:
    """End the jobs of a dead run, then remove its unfinished files and its lock.

    Raises
    ------
    InputError
        If the run is not known to be dead.
    """
    refuse_if_alive(folder)
    for job in [*cancel_orphans(folder), *end_jobs(folder)]:
        say(f"ended {job}, which the dead run left behind")
    stale = stale_files(folder)
    remove(stale)
    if stale:
        say(f"removed {len(stale)} unfinished files, such as {stale[0].relative_to(folder)}")
    refuse_if_alive(folder)  # as one may have started in the meantime
    locks = folder / ".snakemake" / "locks"
    if _holds_files(locks):
        # What `snakemake --unlock` does, without reading the whole workflow for it.
        shutil.rmtree(locks)
        say("removed the lock")


def refuse_if_alive(folder: Path) -> None:
    """Raise InputError if Snakemake is running there, or may be on another machine."""
    for process in _processes(lambda process: _is_snakemake(process, folder)):
        raise InputError(
            f"{folder}: a run is alive here (process {process.pid}); "
            f"wait for it, or end it with `kill -INT {process.pid}`"
        )
    record = folder / HOST
    host = record.read_text() if record.is_file() else platform.node()
    if host != platform.node() and _holds_files(folder / ".snakemake" / "locks"):
        raise InputError(
            f"{folder}: the run was started on {host}, and whether it is alive does not show on "
            f"{platform.node()}; recover it there, or, if it is surely dead, remove {record}"
        )


def end_jobs(folder: Path) -> list[str]:
    """End what runs on this machine for a run in the folder; which commands it was."""
    jobs = _processes(lambda process: process.environ().get(FOLDER) == str(folder))
    ended = {process: _command_of(process) for process in jobs}
    for end in (psutil.Process.terminate, psutil.Process.kill):
        for process in jobs:
            with suppress(psutil.NoSuchProcess):
                end(process)
        deadline = time.monotonic() + GRACE
        while any(map(_is_alive, jobs)) and time.monotonic() < deadline:
            time.sleep(0.05)
    return sorted(f"{name} (process {process.pid})" for process, name in ended.items() if name)


def stale_files(folder: Path) -> list[Path]:
    """Unfinished files and folders of processes that are no more, and Snakemake's own."""
    unfinished = [
        (path, named)
        for path in (folder / "results").rglob(".*")
        if (named := TEMPORARY.fullmatch(path.name))
    ]
    stale = [path for path, named in unfinished if not _is_writing(int(named["process"]))]
    return sorted(stale) + list((folder / ".snakemake").glob("shell_tmp.*"))


def say(what: str) -> None:
    print(f"recover: {what}", flush=True)


def _processes(chosen: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    """Processes on this machine, but this one, that are chosen."""
    found = []
    for process in psutil.process_iter():
        # It may end meanwhile, or be another user's.
        with suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and chosen(process):
                found.append(process)
    return found


def _is_snakemake(process: psutil.Process, folder: Path) -> bool:
    """Whether it is Snakemake's main process in the folder: those of its jobs have a mode."""
    line = process.cmdline()
    called = line[1:3] == ["-m", "snakemake"] or "snakemake" in [Path(p).name for p in line[:2]]
    return called and "--mode" not in line and Path(process.cwd()) == folder


def _command_of(process: psutil.Process) -> str | None:
    """The command of this workflow that a process is, if it is one."""
    with suppress(psutil.Error):
        line = process.cmdline()
        if "-m" in line:
            module, *words = line[line.index("-m") + 1 :]
            if module == f"{__package__}.record_job" and words.count("--") >= 2:
                return Job.parse(words).command[0]
            return module.removeprefix(f"{__package__}.") if __package__ in module else None
    return None


def _is_writing(pid: int) -> bool:
    """Whether a process of this number is a command of this workflow, run by hand."""
    with suppress(psutil.NoSuchProcess):
        return _command_of(psutil.Process(pid)) is not None
    return False


def _is_alive(process: psutil.Process) -> bool:
    """Zombies, which nobody may ever bury in a container, are not."""
    with suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def _holds_files(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


if __name__ == "__main__":
    command.run(main)
