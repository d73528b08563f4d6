"""The command that draws the periods that energies find."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.figures import save
from ..semstat.periods.onset_figures import draw_found
from ..semstat.periods.onset_tables import FOUND
from ..semstat.provenance import Identity
from ..semstat.tables import provenance_of, read_table


def plot_found(found: Path, /, *, svg: Path, pdf: Path) -> None:
    """Draw in how many documents a period that was put in is found, by copies and layer.

    Parameters
    ----------
    found : Parquet file of describe_found, of a `repeated` dataset.
    svg : figure to make.
    pdf : the same figure.
    """
    table = read_table(found, FOUND)
    of = Identity.of(provenance_of(table.schema))
    save(draw_found(table.to_pylist(), f"{of.model} on {of.dataset}"), [svg, pdf])


if __name__ == "__main__":
    run(plot_found)
