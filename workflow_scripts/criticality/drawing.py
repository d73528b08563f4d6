"""What the commands share that draw sweeps: the rows of tables, by who wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..semstat.criticality.tables import OF_MODEL
from ..semstat.errors import InputError
from ..semstat.tables import read_table


def rows_of(
    paths: Sequence[Path], schema: pa.Schema
) -> tuple[dict[str, list[dict[str, Any]]], str]:
    """Rows by writer in the order of files, and a title: the first file's model and dataset.

    A writer is called by the model's name, or the null's; nulls of further models by both.

    Raises
    ------
    InputError
        If files are not of one dataset, or a writer comes twice.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    first: dict[str, Any] = {}
    for path in paths:
        chosen = read_table(path, schema).to_pylist()
        if not chosen:
            raise InputError(f"{path}: has no rows; give a table that describe_sweep made")
        head = chosen[0]
        first = first or head
        if head["dataset"] != first["dataset"]:
            raise InputError(
                f"{path}: of {head['dataset']}, and {paths[0]} of {first['dataset']}; draw a "
                f"figure for each dataset"
            )
        writer = head["model"] if head["by"] == OF_MODEL else head["by"]
        if head["by"] != OF_MODEL and head["model"] != first["model"]:
            writer = f"{writer} of {head['model']}"
        if writer in rows:
            raise InputError(f"{path}: the writer {writer} once more; give each file once")
        rows[writer] = chosen
    return rows, f"{first['model']} on {first['dataset']}"
