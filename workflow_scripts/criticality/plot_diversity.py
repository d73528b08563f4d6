"""The command that draws how texts of a sweep loop against their diversity."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.criticality.curve_figures import draw_diversity
from ..semstat.criticality.tables import OBSERVABLES
from ..semstat.figures import save
from .drawing import rows_of


def plot_diversity(observables: list[Path], /, *, svg: Path, pdf: Path) -> None:
    """Draw loops against conditional and marginal entropy, a line a length, nulls beside.

    Parameters
    ----------
    observables : Parquet files of describe_sweep, one for each who writes, the model's first.
    svg : figure to make.
    pdf : the same figure.
    """
    save(draw_diversity(*rows_of(observables, OBSERVABLES)), [svg, pdf])


if __name__ == "__main__":
    run(plot_diversity)
