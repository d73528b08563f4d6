"""What made a result: versions and code."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any, NamedTuple


class Provenance(dict[str, Any]):
    """What made a result: facts by name, of which some are another result's provenance."""

    def then(self, step: str, *packages: str, **facts: Any) -> Provenance:
        """This and one more step.

        >>> sorted(Provenance(shards=2).then("merged by", "numpy", layers=[0]))
        ['layers', 'merged by', 'shards']

        Parameters
        ----------
        step : what was done, such as "measured by"; the versions and the commit stand under it.
        packages : whose versions matter to it.
        facts : what it was done with.
        """
        return Provenance(self | facts | {step: software(*packages)})


class Identity(NamedTuple):
    """Which ensemble a result is of; the layer is None where it is of several."""

    model: str
    dataset: str
    layer: int | None

    @classmethod
    def of(cls, provenance: Mapping[str, Any]) -> Identity:
        """That of a result that was made of energies, whose provenance is given."""
        model, tokens = provenance["model"]["model"], provenance["tokens"]["dataset"]
        return cls(model, tokens, provenance.get("layer"))


def software(*packages: str) -> dict[str, Any]:
    """Versions of Python and of the packages named, and the commit of this code.

    >>> sorted(software("numpy"))
    ['commit', 'versions']
    """
    versions = {"python": platform.python_version()}
    versions |= {package: version(package) for package in packages}
    return {"versions": versions, "commit": _commit()}


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _commit() -> str:
    """Git commit of this code, marked where it was edited since; installed, what pip knows of it.

    Never that of another repository which a virtual environment may lie in.
    """
    room = Path(__file__).parent
    if room.parent.name != "workflow_scripts" or not (room.parents[1] / ".git").exists():
        return _installed()
    describe = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=-edited"]
    try:
        run = subprocess.run(
            describe, cwd=room, capture_output=True, text=True, check=True, encoding="utf-8"
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return run.stdout.strip()


def _installed() -> str:
    """The commit that pip fetched, else the version; 'unknown' where the code is only a copy."""
    if __name__.startswith("workflow_scripts."):
        return "unknown"
    try:
        package = distribution("semantic-statistics")
    except PackageNotFoundError:
        return "unknown"
    source = json.loads(package.read_text("direct_url.json") or "{}")
    return source.get("vcs_info", {}).get("commit_id") or f"version {package.version}"
