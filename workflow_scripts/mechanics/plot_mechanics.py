"""Draw how nearly a kinetic plus a potential term is conserved, by model and layer.

Makes one figure a dataset.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..running import command
from ..semstat.figures import save
from ..semstat.mechanics.figures import NUMBER_LABELS, draw_conservation
from ..semstat.mechanics.tables import MECHANICS
from ..semstat.tables import provenance_of, read_table


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument("mechanics", nargs="+", type=Path, help="Parquet files of mechanics")
    parser.add_argument("--number", required=True, choices=NUMBER_LABELS, help="what to draw")
    parser.add_argument("--datasets", required=True, nargs="+", help="datasets, one a figure")
    parser.add_argument("--svg", required=True, nargs="+", help="figures to make")
    parser.add_argument("--pdf", required=True, nargs="+", help="the same figures")
    arguments = parser.parse_args()

    lines: dict[str, dict[str, list[dict[str, Any]]]] = {name: {} for name in arguments.datasets}
    for path in arguments.mechanics:
        table = read_table(path, MECHANICS)
        blocks = provenance_of(table.schema)["model"]["source"]["blocks"]
        rows = [row | {"relative_layer": row["layer"] / blocks} for row in table.to_pylist()]
        lines[rows[0]["dataset"]][rows[0]["model"]] = rows
    for (dataset, of_dataset), *paths in zip(
        lines.items(), arguments.svg, arguments.pdf, strict=True
    ):
        save(draw_conservation(of_dataset, arguments.number, dataset), paths)


if __name__ == "__main__":
    command.run(main)
