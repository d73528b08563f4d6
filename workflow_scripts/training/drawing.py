"""What the commands share that draw trained models: rows of tables."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from ..semstat.errors import InputError
from ..semstat.tables import read_table
from ..semstat.training.tables import GROUPS, NUMBERS

Rows = list[dict[str, Any]]


def rows_of(groups: Path, numbers: Path, dataset: str) -> tuple[Rows, Rows]:
    """Rows of groups, and of their numbers on one dataset.

    Raises
    ------
    InputError
        If there are no numbers of that dataset.
    """
    found = read_table(numbers, NUMBERS).to_pylist()
    rows = [row for row in found if row["dataset"] == dataset]
    if not rows:
        raise InputError(f"{numbers}: has no numbers of {dataset}; name a dataset that is measured")
    return read_table(groups, GROUPS).to_pylist(), rows


def groups_of_logs(groups: Path, logged: Collection[str]) -> Rows:
    """Rows of groups that were trained here.

    Raises
    ------
    InputError
        If a model of them has no log.
    """
    rows = [row for row in read_table(groups, GROUPS).to_pylist() if row["objective"]]
    models = [model for row in rows for model in row["models"].split(",")]
    if missing := [model for model in models if model not in logged]:
        raise InputError(f"{groups}: there is no log of {missing[0]}; give its file too")
    return rows
