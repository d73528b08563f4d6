"""The command that counts the states of one shard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow.parquet import ParquetFile

from ..running.command import run
from ..semstat.energies.tables import ENERGIES
from ..semstat.errors import InputError, blamed_on
from ..semstat.tables import open_table, provenance_of, remedy, write_table
from ..semstat.thermodynamics.energy_grid import GRID, energy_edges
from ..semstat.thermodynamics.states import BlockSums, merge, sum_states, to_rows
from ..semstat.thermodynamics.tables import STATES

NEEDED = ["doc", "last", "correct", "energy", "top"]


def count_states(energies: list[Path], /, *, layers: list[int], out: Path) -> None:
    """Count the states of one shard by energy and by block of documents; shards add.

    Parameters
    ----------
    energies : energies of a shard, a Parquet file a layer.
    layers : their layers.
    out : Parquet file to make.
    """
    rows: list[dict[str, Any]] = []
    for layer, path in zip(layers, energies, strict=True):
        file = open_table(path, ENERGIES)
        provenance = provenance_of(file.schema_arrow)
        if provenance.pop("layer") != layer:
            raise InputError(f"{path}: holds another layer than {layer}; {remedy(path)}")
        rows += to_rows(layer, _sums(path, file))
    provenance = provenance.then("counted by", "numpy", layers=layers, grid=GRID)
    write_table(out, pa.Table.from_pylist(rows, schema=STATES), provenance)


def _sums(path: Path, file: ParquetFile) -> BlockSums:
    edges_e = energy_edges()
    with blamed_on(str(path), remedy(path), ValueError, OSError):
        batches = file.iter_batches(batch_size=1 << 20, columns=NEEDED)
        return merge(
            sum_states({name: piece[name].to_numpy() for name in NEEDED}, edges_e)
            for piece in whole_documents(map(pa.Table.from_batches, ([b] for b in batches)))
        )


def whole_documents(pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows, cut where a document ends; a document's rows follow each other."""
    rest: pa.Table | None = None
    for piece in pieces:
        joined = piece if rest is None else pa.concat_tables([rest, piece])
        doc = joined["doc"].to_numpy()
        if np.any(np.diff(doc) < 0):
            raise ValueError("the documents are out of order")
        cut = int(np.argmax(doc == doc[-1]))
        if cut:
            yield joined.slice(0, cut)
        rest = joined.slice(cut)
    if rest is not None:
        yield rest


if __name__ == "__main__":
    run(count_states)
