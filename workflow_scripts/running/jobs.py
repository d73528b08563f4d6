"""What the Snakefile must know of the commands: their source files, and where they run."""

from __future__ import annotations

import ast
import hashlib
import os
import shlex
import sys
from functools import cache
from pathlib import Path
from threading import Lock

from ..semstat.errors import OPTIONS
from ..semstat.provenance import digest

PACKAGE = Path(__file__).parents[1]

PARSING = Lock()
"""Held while a file is parsed: Python 3.11 fails at times where two threads do so (gh-106905)."""

STATEMENTS = (ast.stmt, ast.excepthandler, ast.match_case)

FOLDER = "SEMANTIC_STATISTICS_FOLDER"
"""Variable in the environment of jobs: the working directory of the run that they are of."""

CREDENTIALS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
"""Variables that downloads read, which run on the submitting host."""


def prepare_environment() -> None:
    """Let jobs run the Python that runs Snakemake, and find this package from any folder."""
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    os.environ["PYTHONPATH"] = str(PACKAGE.parent)
    os.environ[FOLDER] = str(Path.cwd())
    # glibc: keep freed activations instead of asking the kernel for fresh pages layer by layer.
    os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(4 << 30))
    os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(8 << 30))


def note_options() -> None:
    """Let jobs know what this run was started with."""
    os.environ[OPTIONS] = shlex.join(sys.argv[1:])


def forget_credentials() -> None:
    """On a cluster's nodes: `--verbose` has a job log its environment."""
    for token in CREDENTIALS:
        os.environ.pop(token, None)


@cache
def digest_of_code(command: str) -> str:
    """One digest of a command's source files, which each rule has among its params.

    So an edit reruns what depends on it, and one that is reverted reruns nothing. Inputs would do
    so too, but a dozen of them a job take a quarter of the time in which a large graph is made.
    """
    lines = [f"{found}  {name}\n" for name, found in code_of(command).items()]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def code_of(command: str) -> dict[str, str]:
    """Source files of a command: its own, and what it imports from this package, transitively.

    Read off the import statements, so that no list can go stale.

    Parameters
    ----------
    command : a module of this package, such as "count_states".

    Returns
    -------
    the files by their places in the checkout, sorted, each with its digest.

    Raises
    ------
    FileNotFoundError
        If there is no such command.
    """
    waiting, found = [PACKAGE / f"{command.replace('.', '/')}.py"], set()
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(path)
    return {str(path.relative_to(PACKAGE.parent)): digest(path) for path in sorted(found)}


@cache
def _imported(path: Path) -> tuple[Path, ...]:
    """Files of this package that one file imports by relative imports, anywhere in it."""
    modules: list[Path] = []
    with PARSING:
        waiting: list[ast.AST] = [ast.parse(path.read_bytes())]
    while waiting:
        node = waiting.pop()
        # Expressions, most of a file, are left out: every job of a cluster comes by here.
        waiting += [n for n in ast.iter_child_nodes(node) if isinstance(n, STATEMENTS)]
        if isinstance(node, ast.ImportFrom) and node.level:
            base = path.parents[node.level - 1]
            base = base.joinpath(*node.module.split(".")) if node.module else base
            modules += [base, *(base / alias.name for alias in node.names)]
    files = [module.with_suffix(".py") for module in modules]
    return tuple(file for file in files if file.is_file())
