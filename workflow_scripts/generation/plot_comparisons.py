"""The command that draws how conditions differ from constants of the same entropy."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.figures import save
from ..semstat.generation.condition_figures import draw_comparisons
from ..semstat.generation.tables import COMPARISONS
from ..semstat.tables import read_table


def plot_comparisons(comparisons: Path, /, *, svg: Path, pdf: Path) -> None:
    """Draw how texts differ from those of a constant sampling temperature of the same entropy.

    Parameters
    ----------
    comparisons : Parquet file of compare_conditions.
    svg : figure to make.
    pdf : the same figure.
    """
    rows = read_table(comparisons, COMPARISONS).to_pylist()
    save(draw_comparisons(rows, f"{rows[0]['model']} on {rows[0]['dataset']}"), [svg, pdf])


if __name__ == "__main__":
    run(plot_comparisons)
