"""Count one shard's states on the energy grid, by layer and by block of documents.

Counts add: shards merge by summing them, and error bars resample the blocks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow.parquet import ParquetFile

from ..running import command
from ..semstat.energies.tables import ENERGIES
from ..semstat.errors import InputError
from ..semstat.provenance import software
from ..semstat.tables import open_table, provenance_of, remedy, write_table
from ..semstat.thermodynamics.energy_grid import GRID, energy_edges
from ..semstat.thermodynamics.states import STATES, BlockSums, merge, sum_states, to_rows

COLUMNS = ["doc", "last", "correct", "energy", "top"]


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument(
        "energies", nargs="+", type=Path, help="energies of a shard, a file a layer"
    )
    parser.add_argument("--layers", required=True, type=int, nargs="+", help="their layers")
    parser.add_argument("--out", required=True, type=Path, help="Parquet file to make")
    arguments = parser.parse_args()

    rows: list[dict[str, Any]] = []
    for layer, path in zip(arguments.layers, arguments.energies, strict=True):
        file = open_table(path, ENERGIES)
        provenance = provenance_of(file.schema_arrow)
        if provenance.pop("layer") != layer:
            raise InputError(f"{path}: holds another layer than {layer}; {remedy(path)}")
        rows += to_rows(layer, _sums(path, file))
    provenance |= {"layers": arguments.layers, "grid": GRID, "counted by": software("numpy")}
    write_table(arguments.out, pa.Table.from_pylist(rows, schema=STATES), provenance)


def _sums(path: Path, file: ParquetFile) -> BlockSums:
    edges_e = energy_edges()
    try:
        return merge(
            sum_states({name: batch[name].to_numpy() for name in COLUMNS}, edges_e)
            for batch in file.iter_batches(batch_size=1 << 20, columns=COLUMNS)
        )
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: {error}; {remedy(path)}") from error


if __name__ == "__main__":
    command.run(main)
