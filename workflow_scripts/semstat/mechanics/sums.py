"""Sums of the numbers of mechanics over documents: those of shards add."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from ..tables import table_of_rows
from .kinetic import KINETIC
from .numbers import Numbers
from .tables import MECHANICS_NUMBERS, MEMBER, TRAJECTORIES
from .terms import FORMS, MEMBERS, POTENTIAL


@dataclass
class Sums:
    """Sums over documents of the numbers of every combination of terms, at one layer and place.

    documents, left_out : documents summed, and those too short or without variation.
    total, squares : by name, (forms, kinetic, potential) sums of the numbers and of their squares.
    """

    documents: int = 0
    left_out: int = 0
    total: Numbers = field(default_factory=dict)
    squares: Numbers = field(default_factory=dict)

    def add(self, numbers: Numbers | None) -> None:
        """Add one document."""
        if numbers is None:
            self.left_out += 1
            return
        self.documents += 1
        for name, value in numbers.items():
            self.total[name] = self.total.get(name, 0.0) + value
            if name in MECHANICS_NUMBERS:
                self.squares[name] = self.squares.get(name, 0.0) + value**2

    def merge(self, other: Sums) -> None:
        self.documents += other.documents
        self.left_out += other.left_out
        for mine, theirs in ((self.total, other.total), (self.squares, other.squares)):
            for name, value in theirs.items():
                mine[name] = mine.get(name, 0.0) + value


def sums_table(sums: Mapping[tuple[int, str], Sums]) -> pa.Table:
    """The trajectories table of sums by layer and place; `from_table` reads it."""
    rows = []
    for (layer, place), of in sums.items():
        named = {f"{name}_sum": value for name, value in of.total.items()}
        named |= {f"{name}_squares": value for name, value in of.squares.items()}
        for index, member in enumerate(MEMBERS):
            row: dict[str, Any] = dict.fromkeys(TRAJECTORIES.names)  # null without a document
            row |= {"layer": layer, "place": place}
            row |= dict(zip(MEMBER, member, strict=True))
            row |= {"documents": of.documents, "left_out": of.left_out}
            rows.append(row | {name: float(value.flat[index]) for name, value in named.items()})
    return table_of_rows(rows, TRAJECTORIES)


def from_table(table: pa.Table) -> dict[tuple[int, str], Sums]:
    """Sums by layer and place, with NaN for null."""
    column = {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}
    shape = (len(FORMS), len(KINETIC), len(POTENTIAL))
    found = {}
    for start in range(0, len(table), len(MEMBERS)):
        sums = Sums(int(column["documents"][start]), int(column["left_out"][start]))
        found[int(column["layer"][start]), str(column["place"][start])] = sums
        for kind, numbers in (("_sum", sums.total), ("_squares", sums.squares)):
            for name, values in column.items():
                if sums.documents and name.endswith(kind):
                    part = values[start : start + len(MEMBERS)]
                    numbers[name.removesuffix(kind)] = part.astype(np.float64).reshape(shape)
    return found


def merge(shards: Iterable[Mapping[tuple[int, str], Sums]]) -> dict[tuple[int, str], Sums]:
    """Sums over the documents of all shards, by layer and place."""
    merged: dict[tuple[int, str], Sums] = {}
    for shard in shards:
        for key, sums in shard.items():
            merged.setdefault(key, Sums()).merge(sums)
    return merged
