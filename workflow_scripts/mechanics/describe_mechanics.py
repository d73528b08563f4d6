"""Tell how nearly conserved each combination of kinetic and potential terms is, layer by layer.

Takes the sums of all shards of some ensembles; a row a layer, place and combination of terms.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..running import command
from ..semstat.errors import InputError
from ..semstat.mechanics.conservation import describe
from ..semstat.mechanics.sums import Sums, from_table, merge
from ..semstat.mechanics.tables import MECHANICS, TRAJECTORIES
from ..semstat.provenance import software
from ..semstat.tables import provenance_of, read_table, table_of_rows, write_table


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument(
        "sums", nargs="+", type=Path, help="sums, a file a shard; those of an ensemble together"
    )
    parser.add_argument("--confidence", type=float, default=0.95, help="coverage of intervals")
    parser.add_argument(
        "--out", required=True, nargs="+", type=Path, help="Parquet files, one an ensemble"
    )
    arguments = parser.parse_args()

    shards = groupby(map(_read, arguments.sums), key=lambda shard: shard[0])
    for ((model, dataset), of_ensemble), out in zip(shards, arguments.out, strict=True):
        tables = [table for _, table in of_ensemble]
        rows = _describe(model, dataset, merge(map(from_table, tables)), arguments.confidence)
        provenance = provenance_of(tables[0].schema)
        provenance |= {"shards": len(tables), "confidence": arguments.confidence}
        provenance |= {"described by": software("numpy", "scipy")}
        write_table(out, table_of_rows(rows, MECHANICS), provenance)


def _read(path: Path) -> tuple[tuple[str, str], pa.Table]:
    """Model and dataset, and the sums of one shard."""
    table = read_table(path, TRAJECTORIES)
    provenance = provenance_of(table.schema)
    return (provenance["model"]["model"], provenance["tokens"]["dataset"]), table


def _describe(
    model: str, dataset: str, sums: dict[tuple[int, str], Sums], confidence: float
) -> list[dict[str, Any]]:
    rows = []
    for (layer, place), of_layer in sums.items():
        try:
            described = describe(of_layer, confidence)
        except ValueError as error:
            raise InputError(
                f"datasets.{dataset}: {error} (model {model}, layer {layer}); give it more or "
                f"longer documents (documents_per_shard, tokens_per_document)"
            ) from error
        where = {"model": model, "dataset": dataset, "layer": layer, "place": place}
        rows += [where | row for row in described]
    return rows


if __name__ == "__main__":
    command.run(main)
