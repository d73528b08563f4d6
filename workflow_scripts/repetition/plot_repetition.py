"""Draw how the energy of one model sinks on one dataset as a unit is repeated, layer by layer."""

from __future__ import annotations

from pathlib import Path

from ..running import command
from ..semstat.figures import save
from ..semstat.repetition.figures import draw_repetition
from ..semstat.repetition.tables import REPETITION
from ..semstat.tables import provenance_of, read_table


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument("repetition", type=Path, help="Parquet file of tabulate_repetition")
    parser.add_argument("--svg", required=True, help="figure to make")
    parser.add_argument("--pdf", required=True, help="the same figure")
    arguments = parser.parse_args()

    table = read_table(arguments.repetition, REPETITION)
    provenance = provenance_of(table.schema)
    unit = provenance["tokens"]["unit"]
    what = {"sentence": "a sentence", "1": "a token"}.get(unit, f"{unit} tokens")
    title = f"{provenance['model']['model']}, {provenance['tokens']['dataset']}: {what} repeated"
    save(draw_repetition(table.to_pylist(), title), [arguments.svg, arguments.pdf])


if __name__ == "__main__":
    command.run(main)
