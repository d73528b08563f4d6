"""Energies of the same states by several entries, which are to be joined row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..semstat.energies.tables import ENERGIES
from ..semstat.errors import InputError
from ..semstat.provenance import Provenance
from ..semstat.tables import provenance_of, read_table, remedy
from ..semstat.tokens.tables import TOKENS

Columns = dict[str, NDArray[Any]]

Documents = dict[int, NDArray[np.int32]]
"""Tokens of each, the prefix token first."""

SAME = ("tokens", "layer", "context", "stride", "dtype", "attention")
"""What the provenance of both must say alike, so that their states are the same."""

STATE = ["doc", "position", "correct"]
"""What states of one row have in common."""


def documents_of(tokens: Sequence[Path]) -> Documents:
    """The documents of all shards."""
    tables = [read_table(path, TOKENS) for path in tokens]
    return {
        doc: tokens_t.values.to_numpy()
        for table in tables
        for doc, tokens_t in zip(table["doc"].to_pylist(), table["tokens"], strict=True)
    }


def check_numbers(own: Sequence[Path], other: Sequence[Path], option: str) -> None:
    """Refuse other files than one for each."""
    if len(own) != len(other):
        raise InputError(
            f"--own and {option}: {len(own)} and {len(other)} files; give one of each for every "
            f"layer and shard, in the same order"
        )


def read_states(path: Path, needed: list[str]) -> tuple[Columns, Provenance]:
    """Columns of one file of energies, and what made it."""
    table = read_table(path, ENERGIES, needed)
    return {name: table[name].to_numpy() for name in needed}, provenance_of(table.schema)


def check_same(
    path: Path,
    said: Provenance,
    columns: Columns,
    other: Path,
    beside: Provenance,
    others: Columns,
) -> None:
    """Refuse what is not of the same states, which entries may have written themselves."""
    differ = [key for key in SAME if _unnamed(said[key]) != _unnamed(beside[key])]
    if not differ and not all(np.array_equal(columns[name], others[name]) for name in STATE):
        differ = ["text"]
    if differ:
        raise InputError(f"{other}: of another {differ[0]} than {path}; {remedy(other)}")


def _unnamed(said: object) -> object:
    """Provenance without the name of the entry that wrote: their texts are compared themselves."""
    if isinstance(said, Mapping) and isinstance(said.get("model"), Mapping):
        return {**said, "model": {k: v for k, v in said["model"].items() if k != "model"}}
    return said


def together(parts: Sequence[Columns]) -> Columns:
    """Columns of all shards, one after the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
