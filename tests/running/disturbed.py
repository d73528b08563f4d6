"""Runs in processes of their own, to be disturbed, and what they may not leave behind.

Faults come from outside: signals, a full file system, programs earlier on the PATH. Whatever
happens, the results are byte for byte those of a run that nothing disturbed, and nothing is left
behind.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from tests.runs import NO_NETWORK, Place, Said, said

TARGET = "results/wells/model=tiny/dataset=text.parquet"
"""What needs every stage but the figures: nine jobs, seven of them after the sources."""


def digests(results: Path) -> dict[str, str]:
    """Every file of a folder, hidden ones too, with its digest."""
    return {
        str(path.relative_to(results)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in results.rglob("*")
        if path.is_file()
    }


def forget(place: Place) -> None:
    """Remove whatever is made of the model and the text."""
    results = place.work / "results"
    for path in [*results.iterdir(), *(results / ".records").iterdir()]:
        if path.name not in ("models", "corpora", ".records"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for models in (results / "models", results / ".records/models"):
        shutil.rmtree(models / "tiny-random", ignore_errors=True)


def command_line(place: Place, program: str, *options: str) -> list[str]:
    line = [sys.executable, "-m", program, f"--snakefile={place.clone / 'Snakefile'}"]
    line += [f"--directory={place.work}", f"--configfile={place.work / 'study.yaml'}"]
    return [*line, "--nocolor", "--cores=2", *options]


def environment(place: Place) -> dict[str, str]:
    return NO_NETWORK | {"PYTHONPATH": str(place.clone), "PYTHONUNBUFFERED": "1"}


SNAKEMAKE, RECOVER = "snakemake", "workflow_scripts.recover"


def start(
    place: Place, program: str, *options: str, says: str = "said.txt", **variables: str
) -> subprocess.Popen[bytes]:
    """Start a run that writes what it says to a file, in a process group of its own."""
    with (place.work.parent / says).open("wb") as file:
        return subprocess.Popen(
            command_line(place, program, *options),
            cwd=place.work.parent,
            env=os.environ | environment(place) | variables,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def what_it_said(place: Place, file: str = "said.txt") -> str:
    return (place.work.parent / file).read_text(errors="replace")


def run(place: Place, program: str, *options: str) -> Said:
    line = command_line(place, program, *options)
    return said(line, place.work.parent, environment(place))


def left_behind(place: Place) -> list[str]:
    """What no run may leave: locks, marks of incomplete files, unfinished files, processes."""
    state = place.work / ".snakemake"
    files = [*(state / "locks").glob("*"), *(state / "incomplete").rglob("*")]
    files += [*state.glob("shell_tmp.*"), *(place.work / "results").rglob(".*.tmp")]
    return [str(path) for path in files] + [str(process) for process in processes_of(place)]


def processes_of(place: Place) -> list[psutil.Process]:
    """Living processes that work in the folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(place.work) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def check_whole(place: Place, undisturbed: dict[str, str]) -> None:
    assert digests(place.work / "results") == undisturbed
    assert left_behind(place) == []


def wait_for(condition: Callable[[], Any], place: Place, seconds: float = 300) -> Any:
    """What the condition returns, once that is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, what_it_said(place)
        time.sleep(0.002)
    return found


def faulty_bash(folder: Path, script: str) -> str:
    """A PATH on which bash runs a shell script first; the command is `$*` there."""
    folder.mkdir()
    (folder / "bash").write_text(f'#!/bin/sh\n{script}\nexec {shutil.which("bash")} "$@"\n')
    (folder / "bash").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"
