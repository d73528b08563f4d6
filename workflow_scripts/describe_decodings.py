"""Describe what each method of decoding writes, on average over prompts, with intervals."""

from __future__ import annotations

from pathlib import Path

from . import command
from .semstat.continuations import CONTINUATIONS, DECODINGS, describe_methods
from .semstat.curve_tables import table_of_rows
from .semstat.provenance import software
from .semstat.tables import provenance_of, read_table, write_table


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument("continuations", type=Path, help="Parquet file of continue_prompts")
    parser.add_argument("--confidence", type=float, default=0.95, help="coverage of intervals")
    parser.add_argument("--out", required=True, type=Path, help="Parquet file to make")
    arguments = parser.parse_args()

    table = read_table(arguments.continuations, CONTINUATIONS)
    provenance = provenance_of(table.schema)
    head = {"model": provenance["model"]["model"], "dataset": provenance["tokens"]["dataset"]}
    rows = describe_methods(table.to_pylist(), arguments.confidence)
    provenance |= {"confidence": arguments.confidence, "described by": software("numpy", "scipy")}
    write_table(arguments.out, table_of_rows([head | row for row in rows], DECODINGS), provenance)


if __name__ == "__main__":
    command.run(main)
