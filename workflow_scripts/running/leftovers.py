"""What killed jobs leave unfinished."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from .code import PACKAGE
from .jobs import RECORD

TEMPORARY = re.compile(r"\.(?P<target>.+?)\.(?P<process>\d+)\.(\w+\.)?tmp")
"""Names of unfinished files and folders: those of `completed` and of `write_snapshot`."""


def unfinished(results: Path) -> list[Path]:
    """Unfinished files and folders, but for those of commands that run on this machine.

    Of a run's own jobs none may be running any more, on whichever machine.
    """
    found = [
        (path, named) for path in results.rglob(".*") if (named := TEMPORARY.fullmatch(path.name))
    ]
    return sorted(path for path, named in found if not _is_writing(int(named["process"])))


def remove(paths: Iterable[Path]) -> None:
    """Remove files and folders, with what is in them."""
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def command_of(process: psutil.Process) -> str | None:
    """The command of this workflow that a process is, if it is one."""
    with suppress(psutil.Error):
        line = process.cmdline()
        if "-m" in line:
            module, *words = line[line.index("-m") + 1 :]
            if module == RECORD and words:
                return str(words[0])
            return module.removeprefix(f"{PACKAGE.name}.") if PACKAGE.name in module else None
    return None


def _is_writing(pid: int) -> bool:
    """Whether a process of this number is a command of this workflow."""
    with suppress(psutil.NoSuchProcess):
        return command_of(psutil.Process(pid)) is not None
    return False
