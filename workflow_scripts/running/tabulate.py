"""Put the rows of many small Parquet files into one CSV file."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from ..semstat.comparisons.tables import DISTANCES
from ..semstat.decoding.tables import DECODINGS
from ..semstat.mechanics.tables import MECHANICS
from ..semstat.steering.tables import EFFECTS
from ..semstat.tables import completed, read_table
from ..semstat.thermodynamics.tables import SIGNALS, WELLS
from . import command

SCHEMAS = {"wells": WELLS, "distances": DISTANCES, "signals": SIGNALS}
SCHEMAS |= {"mechanics": MECHANICS, "effects": EFFECTS, "decodings": DECODINGS}


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument("tables", nargs="+", type=Path, help="Parquet files")
    parser.add_argument("--of", required=True, choices=SCHEMAS, help="what they are tables of")
    parser.add_argument("--digits", type=int, default=4, help="significant digits")
    parser.add_argument("--out", required=True, type=Path, help="CSV file to make")
    arguments = parser.parse_args()

    table = pa.concat_tables(
        read_table(path, SCHEMAS[arguments.of]).replace_schema_metadata()
        for path in arguments.tables
    )
    for index, field in enumerate(table.schema):
        if pa.types.is_floating(field.type):
            rounded = [
                x if x is None else float(f"{x:.{arguments.digits}g}")
                for x in table[index].to_pylist()
            ]
            table = table.set_column(index, field, pa.array(rounded, field.type))
    with completed(arguments.out) as (temporary,):
        pyarrow.csv.write_csv(table, temporary)


if __name__ == "__main__":
    command.run(main)
