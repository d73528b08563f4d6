"""The command that draws where along a sweep observables change."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.criticality.figures import draw_crossovers
from ..semstat.criticality.tables import CROSSOVERS
from ..semstat.figures import save
from .drawing import rows_of


def plot_crossovers(crossovers: list[Path], /, *, svg: Path, pdf: Path) -> None:
    """Draw where observables change, for each length, a panel for each who writes.

    Parameters
    ----------
    crossovers : Parquet files of describe_sweep, one for each who writes, the model's first.
    svg : figure to make.
    pdf : the same figure.
    """
    save(draw_crossovers(*rows_of(crossovers, CROSSOVERS)), [svg, pdf])


if __name__ == "__main__":
    run(plot_crossovers)
