"""The command that draws observables of a sweep by sampling temperature."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ..running.command import run
from ..semstat.criticality.curve_figures import PANELS, draw_observables
from ..semstat.criticality.tables import CROSSOVERS, OBSERVABLES
from ..semstat.figures import save
from .drawing import rows_of


def plot_observables(
    *,
    observables: list[Path],
    crossovers: Path,
    show: Literal["texts", "fluctuations"] = "texts",
    svg: Path,
    pdf: Path,
) -> None:
    """Draw observables by sampling temperature, a line a length, nulls beside.

    Parameters
    ----------
    observables : Parquet files of describe_sweep, one for each who writes, the model's first.
    crossovers : that of where the model's observables change.
    show : what texts are like, or how they fluctuate and respond.
    svg : figure to make.
    pdf : the same figure.
    """
    rows, title = rows_of(observables, OBSERVABLES)
    (places,) = rows_of([crossovers], CROSSOVERS)[0].values()
    save(draw_observables(rows, places, PANELS[show], title), [svg, pdf])


if __name__ == "__main__":
    run(plot_observables)
