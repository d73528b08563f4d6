"""The command that draws how methods of decoding trade repetition."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.decoding.figures import draw_decodings
from ..semstat.decoding.tables import DECODINGS
from ..semstat.figures import save
from ..semstat.tables import read_table


def plot_decodings(decodings: list[Path], /, *, svg: Path, pdf: Path) -> None:
    """Draw how methods of decoding trade repetition for surprise.

    Parameters
    ----------
    decodings : Parquet files of describe_decodings, a condition each.
    svg : figure to make.
    pdf : the same figure.
    """
    rows = [row for path in decodings for row in read_table(path, DECODINGS).to_pylist()]
    save(draw_decodings(rows, f"{rows[0]['model']} on {rows[0]['dataset']}"), [svg, pdf])


if __name__ == "__main__":
    run(plot_decodings)
