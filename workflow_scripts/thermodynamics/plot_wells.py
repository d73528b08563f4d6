"""Draw the wells of all models against the layer, one figure a dataset."""

from __future__ import annotations

from pathlib import Path

from ..running import command
from ..semstat.figures import save
from ..semstat.tables import provenance_of, read_table
from ..semstat.thermodynamics.figures import Line, draw_wells
from ..semstat.thermodynamics.tables import WELLS
from .curve_files import floats


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument("wells", nargs="+", type=Path, help="Parquet files of well numbers")
    parser.add_argument("--datasets", required=True, nargs="+", help="datasets, one a figure")
    parser.add_argument("--svg", required=True, nargs="+", help="figures to make")
    parser.add_argument("--pdf", required=True, nargs="+", help="the same figures")
    arguments = parser.parse_args()

    lines: dict[str, list[Line]] = {dataset: [] for dataset in arguments.datasets}
    for path in arguments.wells:
        table = read_table(path, WELLS)
        provenance = provenance_of(table.schema)
        columns = floats(table.drop_columns(["model", "dataset"]))
        columns["relative_layer"] = columns["layer"] / provenance["model"]["source"]["blocks"]
        model, dataset = table["model"][0].as_py(), table["dataset"][0].as_py()
        lines[dataset].append(Line(model, columns))
    for (dataset, of_dataset), *paths in zip(
        lines.items(), arguments.svg, arguments.pdf, strict=True
    ):
        save(draw_wells(of_dataset, dataset), paths)


if __name__ == "__main__":
    command.run(main)
