"""The command that draws what methods of decoding cost."""

from __future__ import annotations

from pathlib import Path

from ..generation.drawing import all_rows_of
from ..running.command import run
from ..semstat.decoding.cost_figures import draw_costs
from ..semstat.decoding.tables import DECODINGS
from ..semstat.figures import save


def plot_costs(decodings: list[Path], /, *, svg: Path, pdf: Path) -> None:
    """Draw how fast methods of decoding write, over greedy decoding.

    Parameters
    ----------
    decodings : Parquet files of describe_decodings, one a condition.
    svg : figure to make.
    pdf : the same figure.
    """
    save(draw_costs(*all_rows_of(decodings, DECODINGS)), [svg, pdf])


if __name__ == "__main__":
    run(plot_costs)
