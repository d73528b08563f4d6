"""Tell how nearly conserved each combination of kinetic and potential terms is, layer by layer.

Takes the sums of all shards of an ensemble; a row a layer, place and combination of terms.
"""

from __future__ import annotations

from pathlib import Path

from . import command
from .semstat.conservation import describe
from .semstat.curve_tables import table_of_rows
from .semstat.errors import InputError
from .semstat.mechanics_tables import MECHANICS, TRAJECTORIES, from_table, merge
from .semstat.provenance import software
from .semstat.tables import provenance_of, read_table, write_table


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument("sums", nargs="+", type=Path, help="sums, a file a shard")
    parser.add_argument("--confidence", type=float, default=0.95, help="coverage of intervals")
    parser.add_argument("--out", required=True, type=Path, help="Parquet file to make")
    arguments = parser.parse_args()

    tables = [read_table(path, TRAJECTORIES) for path in arguments.sums]
    provenance = provenance_of(tables[0].schema)
    identity = {
        "model": provenance["model"]["model"],
        "dataset": provenance["tokens"]["dataset"],
    }
    rows = []
    for (layer, place), sums in merge(map(from_table, tables)).items():
        try:
            described = describe(sums, arguments.confidence)
        except ValueError as error:
            raise InputError(
                f"datasets.{identity['dataset']}: {error} (model {identity['model']}, layer "
                f"{layer}); give it more or longer documents (documents_per_shard, "
                f"tokens_per_document)"
            ) from error
        rows += [identity | {"layer": layer, "place": place} | row for row in described]
    provenance |= {"shards": len(tables), "confidence": arguments.confidence}
    provenance |= {"described by": software("numpy", "scipy")}
    write_table(arguments.out, table_of_rows(rows, MECHANICS), provenance)


if __name__ == "__main__":
    command.run(main)
