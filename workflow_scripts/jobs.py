"""What the Snakefile must know of the commands: their source files, and where they run."""

from __future__ import annotations

import ast
import os
import platform
import shutil
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent

FOLDER = "SEMANTIC_STATISTICS_FOLDER"
"""Variable in the environment of jobs: the working directory of the run that they are of."""

HOST = Path(".snakemake", "host")
"""Where a run notes, in its working directory, on which machine it was started."""


def prepare_environment() -> None:
    """Let jobs run the Python that runs Snakemake, and find this package from any folder."""
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    os.environ["PYTHONPATH"] = str(PACKAGE.parent)
    os.environ[FOLDER] = str(Path.cwd())
    # glibc: keep freed activations instead of asking the kernel for fresh pages layer by layer.
    os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(4 << 30))
    os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(8 << 30))


def record_host() -> None:
    """Note the machine: whether a run is alive does not show on another one (see `recover`)."""
    HOST.write_text(platform.node())


def remove_temporaries(results: Path) -> None:
    """Remove what killed jobs have left unfinished under `results`, when no job runs any more."""
    remove(results.rglob(".*.tmp"))


def remove(paths: Iterable[Path]) -> None:
    """Remove files and folders, with what is in them."""
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def code_inputs(command: str) -> list[str]:
    """Source files of a command: its own, and what it imports from this package, transitively.

    Read off the import statements, so that no list can go stale.

    Parameters
    ----------
    command : a module of this package, such as "count_states".

    Returns
    -------
    paths, sorted; relative to the working directory, so that a clone elsewhere does not look like
    other code.

    Raises
    ------
    FileNotFoundError
        If there is no such command.
    """
    waiting, found = [PACKAGE / f"{command}.py"], set()
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(path)
    return sorted(os.path.relpath(path) for path in found)


@cache
def _imported(path: Path) -> tuple[Path, ...]:
    """Files of this package that one file imports by relative imports, anywhere in it."""
    modules: list[Path] = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = path.parents[node.level - 1]
            base = base.joinpath(*node.module.split(".")) if node.module else base
            modules += [base, *(base / alias.name for alias in node.names)]
    files = [module.with_suffix(".py") for module in modules]
    return tuple(file for file in files if file.is_file())
