"""Names of models, datasets and the like, which readers of tables find in paths and columns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ..semstat.errors import InputError

NO_TEXT = re.compile(
    r"[\d._-]+(t\d[\d._-]*z?)?|\d[\d._]*e-?\d+|0x[\da-f]+|0b[01]+"
    r"|nan|inf|infinity|epoch|na|null|none|true|false|t|f|yes|no",
    re.IGNORECASE,
)
"""What pandas, polars or DuckDB take for a number, a date, a truth value or nothing."""


def check_names(study: dict[str, Any]) -> None:
    """Refuse names of models and datasets that would not come back from a table as they are.

    Parameters
    ----------
    study : the configuration, as the schema wants it.

    Raises
    ------
    InputError
        As `check_readable` does.
    """
    for kind in ("models", "datasets"):
        check_readable(kind, kind[:-1], study[kind])


def check_readable(where: str, kind: str, names: Iterable[str]) -> None:
    """Refuse names that would not come back from a table as they are, or not as two.

    Parameters
    ----------
    where : key of the configuration under which they stand.
    kind : what they are names of.

    Raises
    ------
    InputError
        If a name is no text to a reader of tables, or differs from another in case only.
    """
    known: dict[str, str] = {}
    for name in names:
        if NO_TEXT.fullmatch(name):
            raise InputError(
                f"{where}.{name}: pandas, polars or DuckDB would read this name as a number, a "
                f"date, true, false or nothing; give it another, such as {kind}-{name}"
            )
        if (other := known.setdefault(name.lower(), name)) != name:
            raise InputError(
                f"{where}.{name}: differs from {other} in case only, and some file systems keep "
                f"only one of the two; rename one"
            )
