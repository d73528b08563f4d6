"""The command that draws periods."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.figures import save
from ..semstat.periods.figures import draw_periods
from ..semstat.periods.tables import PERIODS
from ..semstat.provenance import Identity
from ..semstat.tables import provenance_of, read_table


def plot_periods(periods: Path, /, *, svg: Path, pdf: Path) -> None:
    """Draw how often a model would rather close a loop, by period and layer.

    Parameters
    ----------
    periods : Parquet file of describe_periods.
    svg : figure to make.
    pdf : the same figure.
    """
    table = read_table(periods, PERIODS)
    of = Identity.of(provenance_of(table.schema))
    save(draw_periods(table.to_pylist(), f"{of.model} on {of.dataset}"), [svg, pdf])


if __name__ == "__main__":
    run(plot_periods)
