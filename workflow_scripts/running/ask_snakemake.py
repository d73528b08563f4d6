"""Programs beside Snakemake: their options, and how they learn from it which study its own name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..semstat.errors import InputError
from .code import PACKAGE

SNAKEFILE = PACKAGE.parent / "Snakefile"

ANSWER = "SEMANTIC_STATISTICS_ANSWER"
"""Variable in the environment of a Snakemake that is asked for its study: where to write it."""


def parser_for_a_run(said: str | None, place: str) -> ArgumentParser:
    """Options of a program that takes up a run where it left off, beside those of Snakemake.

    Parameters
    ----------
    said : the program's docstring.
    place : what lies in the directory, for the help.
    """
    parser = ArgumentParser(description=said, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument(
        "-d", "--directory", type=Path, default=Path(), help=f"where {place} (default: here)"
    )
    parser.add_argument(
        "-n",
        "--dry-run",
        "--dryrun",
        action="store_true",
        help="change nothing, and say what would",
    )
    return parser


def study_of(options: Sequence[str]) -> dict[str, Any]:
    """The study that Snakemake would run with these options: every default filled in.

    Raises
    ------
    InputError
        If Snakemake does not take them.
    """
    command = [sys.executable, "-m", "snakemake", f"--snakefile={SNAKEFILE}", "--list-rules"]
    with tempfile.NamedTemporaryFile() as answer:
        run = subprocess.run(
            [*command, "--nocolor", *options],
            env=os.environ | {ANSWER: answer.name},
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        content = answer.read()
    if run.returncode or not content:
        raise no_plan(run.stderr.strip() or run.stdout.strip())
    study: dict[str, Any] = json.loads(content)
    return study


def no_plan(said: str) -> InputError:
    """What Snakemake has said where it cannot plan a study, as one sentence."""
    # Of a traceback, such as where it can keep no cache, the end.
    said = said.strip().rpartition("\n" if "Traceback" in said else "\0")[2]
    return InputError(f"snakemake cannot plan this study: {said.removeprefix('error: ')}")


def answer(study: dict[str, Any]) -> bool:
    """Tell the study if that is all that Snakemake was started for, and whether it is."""
    file = os.environ.get(ANSWER)
    if file:
        Path(file).write_text(json.dumps(study), encoding="utf-8")
    return bool(file)
