"""Draw how the curves of two ensembles differ, and how far apart they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..running import command
from ..semstat.comparisons.figures import draw_difference
from ..semstat.comparisons.tables import COMPARISON, DISTANCES
from ..semstat.figures import save
from ..semstat.tables import read_table
from ..thermodynamics.curve_files import floats


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument("comparison", type=Path, help="Parquet file of differences")
    parser.add_argument("--distances", required=True, type=Path, help="and of their distances")
    parser.add_argument("--svg", required=True, help="figure to make")
    parser.add_argument("--pdf", required=True, help="the same figure")
    arguments = parser.parse_args()

    columns = floats(read_table(arguments.comparison, COMPARISON))
    (row,) = read_table(arguments.distances, DISTANCES).to_pylist()
    save(draw_difference(columns, _title(row)), [arguments.svg, arguments.pdf])


def _title(row: dict[str, Any]) -> str:
    a, b = (f"{row[f'model_{s}']}, {row[f'dataset_{s}']}, layer {row[f'layer_{s}']}" for s in "ab")
    numbers = [
        f"{name} {row[key]:.3g} (p = {row[f'{key}_p']:.2g})"
        for name, key in (("area", "area"), ("KS", "kolmogorov_smirnov"))
    ]
    return f"a: {a}\nb: {b}\n{', '.join(numbers)}"


if __name__ == "__main__":
    command.run(main)
