"""What surrounds a run: the locale that its jobs are told things in, and the folders it writes to.

Imported by the Snakefile, hence by every cluster job: nothing heavy here.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from ..semstat.errors import InputError

FOLDERS = ("results", "logs")
"""Made and written in the working directory."""


def check_locale(study: dict[str, Any]) -> None:
    """Refuse a configuration that cannot be said to jobs, whose command lines are in the locale.

    Raises
    ------
    InputError
        If it holds letters that the locale does not have.
    """
    try:
        os.fsencode(json.dumps(study, ensure_ascii=False))
    except UnicodeEncodeError as error:
        letter = error.object[error.start]
        raise InputError(
            f"it holds {letter!a}, which commands cannot be told in this locale "
            f"({sys.getfilesystemencoding()}); run snakemake with PYTHONUTF8=1 in its environment"
        ) from error


def check_folders(folder: Path, to_write: bool) -> None:
    """Refuse a working directory in which results and logs have no place.

    Parameters
    ----------
    to_write : whether something is to be made there, not only looked at.

    Raises
    ------
    InputError
        If a file is in a folder's place, or the folder may not be written.
    """
    for path in (folder / name for name in FOLDERS):
        if not path.is_dir() and (path.exists() or path.is_symlink()):
            raise InputError(f"{path}: no folder, where one belongs; move it elsewhere")
        there = path if path.is_dir() else folder
        if to_write and not os.access(there, os.W_OK | os.X_OK):
            raise InputError(
                f"{there}: may not be written; change its permissions, or work elsewhere "
                f"(--directory)"
            )
