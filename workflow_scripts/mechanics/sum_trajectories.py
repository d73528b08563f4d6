"""Sum one shard's mechanics over its documents: kinetic and potential terms, and their nulls.

Sums add: shards merge by summing them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ..running import command
from ..semstat.energies.tables import ENERGIES
from ..semstat.mechanics.tables import Sums, sums_table
from ..semstat.mechanics.terms import PLACES, document_numbers, split_documents
from ..semstat.provenance import software
from ..semstat.tables import Provenance, provenance_of, read_table, write_table

SPEEDS = [f"{prefix}{kind}speed" for prefix in PLACES.values() for kind in ("", "shuffled_")]
COLUMNS = ["doc", "position", "log_p_correct", "entropy", *SPEEDS]

Columns = dict[str, NDArray[Any]]


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument(
        "energies", nargs="+", type=Path,
        help="energies of a shard, a file a layer, ascending (layer 0 is a null for the others)",
    )  # fmt: skip
    parser.add_argument("--out", required=True, type=Path, help="Parquet file to make")
    arguments = parser.parse_args()

    sums: dict[tuple[int, str], Sums] = {}
    embedding: Columns = {}
    layers: list[int] = []
    with command.progress(arguments.out.stem, "layers", len(arguments.energies)) as bar:
        for path in arguments.energies:
            column, provenance = _read(path)
            layers.append(provenance.pop("layer"))
            hidden = provenance["model"]["hidden"]
            for document in split_documents(column | embedding):
                for place in PLACES:
                    numbers = document_numbers(document, place, hidden)
                    sums.setdefault((layers[-1], place), Sums()).add(numbers)
            if layers[-1] == 0:
                embedding = {
                    f"{prefix}embedding_speed": column[f"{prefix}speed"]
                    for prefix in PLACES.values()
                }
            bar.update()
    provenance |= {"layers": layers, "summed by": software("numpy")}
    write_table(arguments.out, sums_table(sums), provenance)


def _read(path: Path) -> tuple[Columns, Provenance]:
    table = read_table(path, ENERGIES, COLUMNS)
    columns = {name: table[name].to_numpy() for name in COLUMNS}
    return columns, provenance_of(table.schema)


if __name__ == "__main__":
    command.run(main)
