"""Draw how methods of decoding trade repetition against perplexity."""

from __future__ import annotations

from pathlib import Path

from . import command
from .semstat.continuations import DECODINGS
from .semstat.figures import save
from .semstat.steering_figures import draw_decodings
from .semstat.tables import read_table


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument("decodings", type=Path, help="Parquet file of describe_decodings")
    parser.add_argument("--svg", required=True, help="figure to make")
    parser.add_argument("--pdf", required=True, help="the same figure")
    arguments = parser.parse_args()

    rows = read_table(arguments.decodings, DECODINGS).to_pylist()
    title = f"{rows[0]['model']} on {rows[0]['dataset']}"
    save(draw_decodings(rows, title), [arguments.svg, arguments.pdf])


if __name__ == "__main__":
    command.run(main)
