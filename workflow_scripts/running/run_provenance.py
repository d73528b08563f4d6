"""results/provenance.json: the configurations, code and library versions that made what lies there.

A run adds an entry if its own is not there yet; one that goes on after a crash adds none.
"""

from __future__ import annotations

import hashlib
import json
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..semstat.errors import InputError
from ..semstat.provenance import digest, software
from ..semstat.tables import write_json

PROVENANCE = Path("results/provenance.json")

ROOT = Path(__file__).parents[2]
CODE = ("Snakefile", "rules/**/*.smk", "workflow_scripts/**/*.py")
REQUIREMENTS = ROOT / "envs" / "requirements.txt"

Entry = dict[str, Any]
"""`config`, `code` (its digest), `commit` and `versions`."""


def record_run(study: dict[str, Any], path: Path = PROVENANCE) -> str | None:
    """Add what a run makes its results with, unless it is recorded already.

    Parameters
    ----------
    study : the configuration with every default filled in.

    Returns
    -------
    a warning, if no run that is recorded had these library versions.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    runs = read_runs(path)
    run = {"config": study, "code": code_digest()} | software(*_installed())
    # Another commit of the same code makes nothing else.
    if any(run | {"commit": known["commit"]} == known for known in runs):
        return None
    write_json(path, {"runs": [*runs, run]})
    if not runs or any(known["versions"] == run["versions"] for known in runs):
        return None
    drift = version_drift(runs[-1]["versions"], run["versions"])
    return (
        f"{path.parent} was made with other library versions than this run has ({drift}); numbers "
        f"may differ in their last digits or by more. Install those versions again, or remake "
        f"everything with this run's: snakemake --cores all --forceall"
    )


def read_runs(path: Path = PROVENANCE) -> list[Entry]:
    """The entries of the file, oldest first; none if there is no file."""
    try:
        runs = json.loads(path.read_bytes())["runs"]
        return [{key: run[key] for key in ("config", "code", "commit", "versions")} for run in runs]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: damaged; delete it and run snakemake again") from error


def version_drift(old: dict[str, str], new: dict[str, str]) -> str:
    """How two sets of versions differ.

    >>> version_drift({"numpy": "1.9", "torch": "2.0"}, {"numpy": "2.4", "torch": "2.0"})
    'numpy 1.9, now 2.4'
    """
    return ", ".join(
        f"{package} {old.get(package, 'none')}, now {new.get(package, 'none')}"
        for package in sorted(old.keys() | new.keys())
        if old.get(package) != new.get(package)
    )


def code_digest() -> str:
    """One digest of the workflow's files, their names included."""
    files = sorted(file for pattern in CODE for file in ROOT.glob(pattern))
    lines = [f"{digest(file)}  {file.relative_to(ROOT).as_posix()}\n" for file in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _installed() -> list[str]:
    """Pinned requirements that are installed where Snakemake runs."""
    found = []
    for package in re.findall(
        r"^([\w-]+)==", REQUIREMENTS.read_text(encoding="utf-8"), flags=re.MULTILINE
    ):
        try:
            version(package)
        except PackageNotFoundError:
            continue
        found.append(package)
    return found
