"""The command that sums one shard's mechanics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ..running.command import progress, run
from ..semstat.energies.tables import ENERGIES
from ..semstat.mechanics.numbers import document_numbers
from ..semstat.mechanics.sums import Sums, sums_table
from ..semstat.mechanics.terms import PLACES, documents_of
from ..semstat.provenance import Provenance
from ..semstat.tables import provenance_of, read_table, write_table

SPEEDS = [f"{prefix}{kind}speed" for prefix in PLACES.values() for kind in ("", "shuffled_")]
NEEDED = ["doc", "position", "log_p_correct", "entropy", *SPEEDS]

Columns = dict[str, NDArray[Any]]


def sum_trajectories(energies: list[Path], /, *, out: Path) -> None:
    """Sum one shard's mechanics over its documents: kinetic and potential terms, and their nulls.

    Sums add: shards merge by summing them.

    Parameters
    ----------
    energies : energies of a shard, a Parquet file a layer, ascending (layer 0 is a null for the
        others).
    out : Parquet file to make.
    """
    sums: dict[tuple[int, str], Sums] = {}
    embedding: Columns = {}
    layers: list[int] = []
    with progress(out.stem, "layers", len(energies)) as bar:
        for path in energies:
            column, provenance = _read(path)
            layers.append(provenance.pop("layer"))
            hidden = provenance["model"]["hidden"]
            for document in documents_of(column | embedding):
                for place in PLACES:
                    numbers = document_numbers(document, place, hidden)
                    sums.setdefault((layers[-1], place), Sums()).add(numbers)
            if layers[-1] == 0:
                embedding = {
                    f"{prefix}embedding_speed": column[f"{prefix}speed"]
                    for prefix in PLACES.values()
                }
            bar.update()
    write_table(out, sums_table(sums), provenance.then("summed by", "numpy", layers=layers))


def _read(path: Path) -> tuple[Columns, Provenance]:
    table = read_table(path, ENERGIES, NEEDED)
    return {name: table[name].to_numpy() for name in NEEDED}, provenance_of(table.schema)


if __name__ == "__main__":
    run(sum_trajectories)
