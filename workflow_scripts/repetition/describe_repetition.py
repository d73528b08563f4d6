"""Tabulate how energy and probabilities go as a unit is repeated, at every layer of one model.

Takes the energies of a `repeated` dataset, whose shards differ in the number of copies.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow as pa
from numpy.typing import NDArray

from ..running import command
from ..semstat.energies.tables import ENERGIES
from ..semstat.errors import InputError
from ..semstat.provenance import software
from ..semstat.repetition.repetition import REPETITION, describe_repetition
from ..semstat.tables import Provenance, provenance_of, read_table, write_table

COLUMNS = ["doc", "position", "log_p_last", "log_p_correct", "energy"]


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument("energies", nargs="+", type=Path, help="energies, a file a shard and layer")
    parser.add_argument("--confidence", type=float, default=0.95, help="coverage of intervals")
    parser.add_argument("--out", required=True, type=Path, help="Parquet file to make")
    arguments = parser.parse_args()

    by_layer: dict[int, dict[int, dict[str, NDArray[Any]]]] = defaultdict(dict)
    for path in arguments.energies:
        columns, provenance = _read(path)
        by_layer[provenance.pop("layer")][provenance["tokens"].pop("copies")] = columns
    rows = []
    for layer, columns_n in sorted(by_layer.items()):
        try:
            described = describe_repetition(columns_n, arguments.confidence)
        except ValueError as error:
            raise InputError(
                f"datasets.{provenance['tokens']['dataset']}: {error}; give it more documents "
                f"(documents_per_shard) or more numbers of copies (repetitions)"
            ) from error
        rows += [{"layer": layer} | row for row in described]
    provenance |= {"confidence": arguments.confidence, "tabulated by": software("numpy", "scipy")}
    write_table(arguments.out, pa.Table.from_pylist(rows, schema=REPETITION), provenance)


def _read(path: Path) -> tuple[dict[str, NDArray[Any]], Provenance]:
    table = read_table(path, ENERGIES, COLUMNS)
    provenance = provenance_of(table.schema)
    tokens = provenance["tokens"]
    if tokens["ensemble"] != "repeated":
        raise InputError(f"{path}: is of no `repeated` dataset; give one that is")
    columns = {name: table[name].to_numpy() for name in COLUMNS}
    positions = 1 + int(columns["position"].max())
    if positions > provenance["context"]:
        raise InputError(
            f"datasets.{tokens['dataset']}.repetitions: {tokens['copies']} copies take "
            f"{positions} positions, but a model sees only {provenance['context']} at once; "
            f"lower it or raise measurement.context"
        )
    return columns, provenance


if __name__ == "__main__":
    command.run(main)
