"""The command that draws phases of a sweep: an observable by sampling temperature and length."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.criticality.figures import draw_phases
from ..semstat.criticality.tables import CROSSOVERS, OBSERVABLES, OBSERVED
from ..semstat.errors import InputError
from ..semstat.figures import save
from .drawing import rows_of


def plot_phases(
    *,
    observables: list[Path],
    crossovers: list[Path],
    observable: str = "near_looping",
    svg: Path,
    pdf: Path,
) -> None:
    """Draw an observable by sampling temperature and length, a panel for each who writes.

    Parameters
    ----------
    observables : Parquet files of describe_sweep, one for each who writes, the model's first.
    crossovers : those of where observables change.
    observable : what is drawn, a column of the table.
    svg : figure to make.
    pdf : the same figure.
    """
    if observable not in OBSERVED:
        raise InputError(
            f"--observable: {observable} is no observable; give one of {', '.join(OBSERVED)}"
        )
    rows, title = rows_of(observables, OBSERVABLES)
    places, _ = rows_of(crossovers, CROSSOVERS)
    save(draw_phases(rows, places, observable, title), [svg, pdf])


if __name__ == "__main__":
    run(plot_phases)
