"""Names of models and datasets, which readers of tables find in paths and columns."""

from __future__ import annotations

import re
from typing import Any

from ..semstat.errors import InputError

NO_TEXT = re.compile(
    r"[\d._-]+(t\d[\d._-]*z?)?|\d[\d._]*e-?\d+|0x[\da-f]+|0b[01]+"
    r"|nan|inf|infinity|epoch|na|null|none|true|false|t|f|yes|no",
    re.IGNORECASE,
)
"""What pandas, polars or DuckDB take for a number, a date, a truth value or nothing."""


def check_names(study: dict[str, Any]) -> None:
    """Refuse names that would not come back from a table as they are, or not as two.

    Parameters
    ----------
    study : the configuration, as the schema wants it.

    Raises
    ------
    InputError
        If a name is no text to a reader of tables, or differs from another in case only.
    """
    for kind in ("models", "datasets"):
        known: dict[str, str] = {}
        for name in study[kind]:
            if NO_TEXT.fullmatch(name):
                raise InputError(
                    f"{kind}.{name}: pandas, polars or DuckDB would read this name as a number, a "
                    f"date, true, false or nothing; give it another, such as {kind[:-1]}-{name}"
                )
            if (other := known.setdefault(name.lower(), name)) != name:
                raise InputError(
                    f"{kind}.{name}: differs from {other} in case only, and some file systems keep "
                    f"only one of the two; rename one"
                )
