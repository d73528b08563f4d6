"""The command that draws onsets of loops."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.figures import save
from ..semstat.periods.onset_figures import draw_onsets
from ..semstat.periods.onset_tables import ONSETS
from ..semstat.provenance import Identity
from ..semstat.tables import provenance_of, read_table


def plot_onsets(onsets: Path, /, *, svg: Path, pdf: Path) -> None:
    """Draw what states are like before and in loops that a model wrote, by lag and layer.

    Parameters
    ----------
    onsets : Parquet file of describe_onsets.
    svg : figure to make.
    pdf : the same figure.
    """
    table = read_table(onsets, ONSETS)
    of = Identity.of(provenance_of(table.schema))
    save(draw_onsets(table.to_pylist(), f"{of.model} on {of.dataset}"), [svg, pdf])


if __name__ == "__main__":
    run(plot_onsets)
