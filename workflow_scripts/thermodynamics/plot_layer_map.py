"""Draw where the states of one model lie on one dataset: a map of layer × energy."""

from __future__ import annotations

from pathlib import Path

from ..running import command
from ..semstat.figures import save
from ..semstat.thermodynamics.figures import draw_layer_map
from .curve_files import read_curves


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument("curves", nargs="+", type=Path, help="Parquet files of curves, by layer")
    parser.add_argument("--svg", required=True, help="figure to make")
    parser.add_argument("--pdf", required=True, help="the same figure")
    arguments = parser.parse_args()

    read = [read_curves(path) for path in arguments.curves]
    identity = read[0][0]
    layers = [int(identity["layer"]) for identity, _ in read]
    title = f"{identity['model']}, {identity['dataset']}"
    figure = draw_layer_map(layers, [columns for _, columns in read], title)
    save(figure, [arguments.svg, arguments.pdf])


if __name__ == "__main__":
    command.run(main)
