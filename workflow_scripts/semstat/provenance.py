"""What made a result: versions and code."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any


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
    """Git commit of this code, marked where it was edited since; 'unknown' outside a checkout."""
    describe = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=-edited"]
    try:
        run = subprocess.run(
            describe, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return run.stdout.strip()
