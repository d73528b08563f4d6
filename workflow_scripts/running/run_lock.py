"""One run at a time in a folder, whatever it is to make.

Snakemake's own lock lets two runs through that make different files; the first to end would tidy
up after the other while that still works.
"""

from __future__ import annotations

import fcntl
import os
import platform
from pathlib import Path
from typing import TextIO

from ..semstat.errors import InputError

LOCK = Path(".snakemake", "run.lock")
"""Held by the process that works in the folder; tells its machine and its number."""

LOCKS = Path(".snakemake", "locks")
"""Snakemake's own."""

_held: list[TextIO] = []
"""Open until this process ends: with it, however it does, the lock is free."""


def hold(folder: Path) -> None:
    """Be the only one to work in a folder until this process ends, or becomes another program.

    On a shared file system other machines are refused as well, unless it keeps locks to each of
    them; on one without locks there is only Snakemake's own.

    Raises
    ------
    InputError
        If a run is alive there.
    """
    (folder / LOCK).parent.mkdir(exist_ok=True)
    file = (folder / LOCK).open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        with file:
            file.seek(0)
            host, _, process = file.read().partition(" ")
        raise InputError(
            f"{folder}: a run is alive here (process {process} on {host}); "
            f"wait for it, or end it there with `kill -INT {process}`"
        ) from error
    except OSError:
        pass
    file.truncate(0)
    file.write(f"{platform.node()} {os.getpid()}")
    file.flush()
    _held.append(file)


def hold_after_a_run(folder: Path) -> None:
    """Be the only one to work in a folder where a run has ended and tidied up after itself.

    Raises
    ------
    InputError
        If it has not, or if a run may be alive there, on this machine or another.
    """
    refuse_elsewhere(folder)
    hold(folder)
    if is_locked(folder):
        raise InputError(
            f"{folder}: a run ended without tidying up; first run "
            f"`python -m workflow_scripts.recover` with its options"
        )


def refuse_elsewhere(folder: Path) -> None:
    """Refuse a folder where a run of another machine may be alive, which does not show on this one.

    Raises
    ------
    InputError
        If Snakemake's lock is there, and the last run was another machine's.
    """
    host = last_host(folder)
    if host not in (None, platform.node()) and is_locked(folder):
        raise InputError(
            f"{folder}: the run was started on {host}, and whether it is alive does not show on "
            f"{platform.node()}; recover it there, or, if it is surely dead, remove {folder / LOCK}"
        )


def is_locked(folder: Path) -> bool:
    """Whether Snakemake's lock is in a folder; a dead run leaves it behind."""
    return (folder / LOCKS).is_dir() and any((folder / LOCKS).iterdir())


def last_host(folder: Path) -> str | None:
    """The machine on which the last run in a folder was started, if there was one."""
    path = folder / LOCK
    return path.read_text(encoding="utf-8").partition(" ")[0] or None if path.is_file() else None
