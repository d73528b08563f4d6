"""Draw the norm that effects of steering take, or how methods of decoding trade repetition."""

from __future__ import annotations

from pathlib import Path

from ..running import command
from ..semstat.decoding.figures import draw_decodings
from ..semstat.decoding.tables import DECODINGS
from ..semstat.figures import save
from ..semstat.steering.figures import draw_effects
from ..semstat.steering.tables import EFFECTS
from ..semstat.tables import read_table

DRAWN = {"effects": (EFFECTS, draw_effects), "decodings": (DECODINGS, draw_decodings)}


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument("table", type=Path, help="Parquet file of describe_steering")
    parser.add_argument("--of", required=True, choices=DRAWN, help="what it is a table of")
    parser.add_argument("--svg", required=True, help="figure to make")
    parser.add_argument("--pdf", required=True, help="the same figure")
    arguments = parser.parse_args()

    schema, draw = DRAWN[arguments.of]
    rows = read_table(arguments.table, schema).to_pylist()
    title = f"{rows[0]['model']} on {rows[0]['dataset']}"
    save(draw(rows, title), [arguments.svg, arguments.pdf])


if __name__ == "__main__":
    command.run(main)
