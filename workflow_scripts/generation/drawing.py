"""What the commands share that draw conditions of writing: the rows of several files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ..semstat.errors import InputError
from ..semstat.tables import read_table


def rows_of(
    paths: Sequence[Path], schema: pa.Schema, groups: Sequence[str] = ()
) -> tuple[dict[str, list[dict[str, Any]]], str]:
    """Rows of some groups of prompts, or all, by condition in the order of files, and a title.

    Raises
    ------
    InputError
        If files are not of one model and dataset, a condition comes twice, or one has no rows, or
        none of such prompts.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    places: dict[str, Path] = {}
    for path in paths:
        table = read_table(path, schema)
        if groups:
            table = table.filter(pc.field("prompts").isin(list(groups)))
        chosen = table.to_pylist()
        if not chosen and not groups:
            raise InputError(f"{path}: has no rows; make it again, and give each condition's file")
        if not chosen:
            raise InputError(
                f"{path}: of no prompts that are {' or '.join(groups)}; see `prompts` and "
                f"`found_on` under `generation`"
            )
        place, condition = f"{chosen[0]['model']} on {chosen[0]['dataset']}", chosen[0]["condition"]
        if condition in rows:
            raise InputError(f"{path}: the condition {condition} once more; give each file once")
        places.setdefault(place, path)
        rows[condition] = chosen
    if len(places) > 1:
        (one, of_one), (other, of_other), *_ = places.items()
        raise InputError(
            f"{of_other}: of {other}, and {of_one} of {one}; draw a figure for each model and "
            f"dataset"
        )
    return rows, next(iter(places))


def all_rows_of(
    paths: Sequence[Path], schema: pa.Schema, groups: Sequence[str] = ()
) -> tuple[list[dict[str, Any]], str]:
    """Those of `rows_of` one condition after the other."""
    by_condition, title = rows_of(paths, schema, groups)
    return [row for rows in by_condition.values() for row in rows], title
