"""Describe what was steered, on average over documents or prompts, with intervals."""

from __future__ import annotations

from pathlib import Path

from ..running import command
from ..semstat.decoding.columns import CONTINUATIONS
from ..semstat.decoding.description import describe_methods
from ..semstat.decoding.tables import DECODINGS
from ..semstat.provenance import software
from ..semstat.steering.columns import STEERED_STATES
from ..semstat.steering.description import describe_effects
from ..semstat.steering.tables import EFFECTS
from ..semstat.tables import provenance_of, read_table, table_of_rows, write_table

DESCRIBED = {
    "effects": (STEERED_STATES, describe_effects, EFFECTS),
    "decodings": (CONTINUATIONS, describe_methods, DECODINGS),
}
"""Table → schema of what it describes, how, and its own schema."""


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument(
        "steered", type=Path, help="Parquet file of steer_states or continue_prompts"
    )
    parser.add_argument(
        "--of",
        required=True,
        choices=DESCRIBED,
        help="effects, of steered states; decodings, of continued prompts",
    )
    parser.add_argument("--confidence", type=float, default=0.95, help="coverage of intervals")
    parser.add_argument("--out", required=True, type=Path, help="Parquet file to make")
    arguments = parser.parse_args()

    steered, describe, schema = DESCRIBED[arguments.of]
    table = read_table(arguments.steered, steered)
    provenance = provenance_of(table.schema)
    head = {"model": provenance["model"]["model"], "dataset": provenance["tokens"]["dataset"]}
    rows = describe(table.to_pylist(), arguments.confidence)
    provenance |= {"confidence": arguments.confidence, "described by": software("numpy", "scipy")}
    write_table(arguments.out, table_of_rows([head | row for row in rows], schema), provenance)


if __name__ == "__main__":
    command.run(main)
