"""The command that draws trained models against doses."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.figures import save
from ..semstat.training.figures import draw_doses
from .drawing import rows_of


def plot_doses(numbers: Path, /, *, groups: Path, dataset: str, svg: Path, pdf: Path) -> None:
    """Draw what trained models are like against the repetition in their corpus.

    Parameters
    ----------
    numbers : Parquet file of numbers, of compare_models.
    groups : Parquet file of groups, of compare_models.
    dataset : that is read, or whose beginnings are continued.
    svg : figure to make.
    pdf : the same figure.
    """
    save(draw_doses(*rows_of(groups, numbers, dataset), dataset), [svg, pdf])


if __name__ == "__main__":
    run(plot_doses)
