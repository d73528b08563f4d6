"""The command that draws what objectives of training trade."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.figures import save
from ..semstat.training.figures import draw_tradeoffs
from .drawing import rows_of


def plot_tradeoffs(numbers: Path, /, *, groups: Path, dataset: str, svg: Path, pdf: Path) -> None:
    """Draw repetition by trained models against perplexity, a curve an objective.

    Parameters
    ----------
    numbers : Parquet file of numbers, of compare_models.
    groups : Parquet file of groups, of compare_models.
    dataset : that is read, or whose beginnings are continued.
    svg : figure to make.
    pdf : the same figure.
    """
    save(draw_tradeoffs(*rows_of(groups, numbers, dataset), dataset), [svg, pdf])


if __name__ == "__main__":
    run(plot_tradeoffs)
