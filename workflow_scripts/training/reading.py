"""Numbers of models by place, from their files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..semstat.decoding.columns import CONTINUATIONS
from ..semstat.errors import InputError
from ..semstat.provenance import Identity
from ..semstat.statistics.several import Number
from ..semstat.tables import provenance_of, read_table
from ..semstat.training.observables import CONTINUED, Place, of_reading, of_writing
from ..semstat.training.tables import SUMS

Numbers = dict[str, dict[Place, Number]]
"""By model and place."""

Snapshots = dict[str, dict[str, Any]]
"""What provenance says of each model."""


def about_snapshot(snapshot: dict[str, Any]) -> dict[str, Any]:
    """What a snapshot's provenance says but that of all others which went into it."""
    return {
        key: fact for key, fact in snapshot.items() if key not in ("started from", "trained_on")
    }


def read_numbers(sums: Iterable[Path], continuations: Iterable[Path]) -> tuple[Numbers, Snapshots]:
    """Numbers of reading and writing, and the snapshots that read, by model.

    Parameters
    ----------
    sums : Parquet files of sum_documents.
    continuations : Parquet files of what such models write.

    Raises
    ------
    InputError
        If a file, or another one of the same model and dataset, is given twice.
    """
    numbers: Numbers = {}
    snapshots: Snapshots = {}
    for path in sums:
        table = read_table(path, SUMS)
        provenance = provenance_of(table.schema)
        model, dataset, _ = Identity.of(provenance)
        snapshots[model] = provenance["model"]
        column = {name: table[name].to_numpy() for name in table.column_names}
        _add(numbers, model, of_reading(dataset, column), path)
    for path in continuations:
        written = read_table(path, CONTINUATIONS, CONTINUED)
        model, dataset, _ = Identity.of(provenance_of(written.schema))
        _add(numbers, model, of_writing(dataset, written.to_pylist()), path)
    return numbers, snapshots


def _add(numbers: Numbers, model: str, found: dict[Place, Number], path: Path) -> None:
    of_model = numbers.setdefault(model, {})
    if of_model.keys() & found.keys():
        raise InputError(f"{path}: {model} has these numbers already; give each file once")
    of_model |= found
